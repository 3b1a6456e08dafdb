//! What lies between the reader and the wire: a cipher that some exchanges speak, or nothing.
//!
//! One codec belongs to one flow, and sees whole datagrams or whole stream chunks. The only one that is more than nothing is
//! [`vos`]'s.

mod rc4;
pub mod vos;

/// Turns clear bytes into those of the wire and back.
pub trait FlowCodec {
    /// Writes `clear` as it goes on the wire to the end of `out`; nothing, where it cannot go: drop it.
    fn seal(&mut self, clear: &[u8], out: &mut Vec<u8>);

    /// The clear bytes of what came from the wire, in place or in `room`.
    ///
    /// # Errors
    /// [`Unopened`]: not for us; count and drop it.
    fn open<'a>(&mut self, wire: &'a [u8], room: &'a mut Vec<u8>) -> Result<&'a [u8], Unopened>;
}

/// Why bytes from the wire were not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// They are not sealed.
    Plain,
    /// They are sealed wrongly: cut off, too long, or with other marks.
    Broken,
    /// What comes out is no message: another key, most likely.
    Noise,
}

/// No cipher: the wire carries clear bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl FlowCodec for Identity {
    fn seal(&mut self, clear: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(clear);
    }

    fn open<'a>(&mut self, wire: &'a [u8], _room: &'a mut Vec<u8>) -> Result<&'a [u8], Unopened> {
        Ok(wire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_opens_what_it_sealed_without_copying_on_the_way_in() {
        let (mut wire, mut room) = (Vec::new(), Vec::new());
        Identity.seal(b"OPTIONS sip:a SIP/2.0\r\n\r\n", &mut wire);
        assert_eq!(Identity.open(&wire, &mut room), Ok(&b"OPTIONS sip:a SIP/2.0\r\n\r\n"[..]));
        assert!(room.is_empty());
    }
}
