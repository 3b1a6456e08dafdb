//! The packets that wait for their turn: in the order of their timestamps, in a room of fixed size.
//!
//! Payloads lie in chains of small blocks, so that a thousand packets of 1 ms and a few of 200 ms share one room.
//! Knows no time and no decoding.

use std::collections::VecDeque;

use super::MAX_PAYLOAD;

/// Packets waiting, at most: a second of 1 ms packets.
pub(super) const SLOTS: usize = 1024;
/// Octets in a block: 10 ms of G.711, four frames of G.729.
const BLOCK: usize = 80;
/// 80 KiB in all: 10 s of G.711, 1.2 s of Opus at its highest rate.
const BLOCKS: usize = 1024;
/// No block.
const NONE: u16 = u16::MAX;

/// One packet, without its payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) timestamp: u32,
    /// At `rate`.
    pub(super) samples: u32,
    /// Samples a second of what its decoder makes.
    pub(super) rate: u32,
    /// RTP ticks it lasts.
    pub(super) ticks: u32,
    /// Index of its decoder.
    pub(super) decoder: usize,
    length: usize,
    first: u16,
}

/// Why a packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is one of that timestamp.
    Twin,
    /// No room.
    Full,
}

/// The room.
#[derive(Clone, Debug)]
pub(super) struct Packets {
    slots: VecDeque<Slot>,
    blocks: Box<[[u8; BLOCK]]>,
    /// The block after each block, in a payload or in the list of free ones.
    links: Box<[u16]>,
    free: u16,
    free_count: usize,
}

impl Packets {
    pub(super) fn new() -> Self {
        let mut packets = Self {
            slots: VecDeque::with_capacity(SLOTS),
            blocks: vec![[0; BLOCK]; BLOCKS].into_boxed_slice(),
            links: vec![NONE; BLOCKS].into_boxed_slice(),
            free: NONE,
            free_count: 0,
        };
        packets.clear();
        packets
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        for (block, link) in self.links.iter_mut().enumerate() {
            *link = if block + 1 < BLOCKS { block as u16 + 1 } else { NONE };
        }
        (self.free, self.free_count) = (0, BLOCKS);
    }

    /// Takes one among those that are within half the timestamps' circle of it.
    pub(super) fn insert(
        &mut self,
        timestamp: u32,
        ticks: u32,
        (samples, rate): (u32, u32),
        decoder: usize,
        payload: &[u8],
    ) -> Result<(), Refused> {
        let behind = |slot: &Slot| slot.timestamp.wrapping_sub(timestamp) as i32;
        // From the back: nearly all come in order.
        let place = self.slots.iter().rposition(|slot| behind(slot) <= 0).map_or(0, |index| index + 1);
        if place > 0 && behind(&self.slots[place - 1]) == 0 {
            return Err(Refused::Twin);
        }
        let needed = payload.len().div_ceil(BLOCK);
        if self.slots.len() == SLOTS || needed > self.free_count || payload.len() > MAX_PAYLOAD {
            return Err(Refused::Full);
        }
        let mut first = NONE;
        for piece in payload.chunks(BLOCK).rev() {
            let block = self.free;
            self.free = self.links[usize::from(block)];
            self.blocks[usize::from(block)][..piece.len()].copy_from_slice(piece);
            self.links[usize::from(block)] = first;
            first = block;
        }
        self.free_count -= needed;
        let slot = Slot { timestamp, samples, rate, ticks, decoder, length: payload.len(), first };
        self.slots.insert(place, slot);
        Ok(())
    }

    pub(super) fn first(&self) -> Option<&Slot> {
        self.slots.front()
    }

    /// The first one's payload, into `payload`.
    pub(super) fn read_first(&self, payload: &mut Vec<u8>) {
        payload.clear();
        let Some(slot) = self.slots.front() else { return };
        let (mut block, mut left) = (slot.first, slot.length);
        while left > 0 {
            let count = left.min(BLOCK);
            payload.extend_from_slice(&self.blocks[usize::from(block)][..count]);
            (block, left) = (self.links[usize::from(block)], left - count);
        }
    }

    /// Lets the first one go.
    pub(super) fn drop_first(&mut self) {
        let Some(slot) = self.slots.pop_front() else { return };
        let mut block = slot.first;
        while block != NONE {
            let next = self.links[usize::from(block)];
            self.links[usize::from(block)] = self.free;
            self.free = block;
            self.free_count += 1;
            block = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(packets: &mut Packets, timestamp: u32, payload: &[u8]) -> Result<(), Refused> {
        packets.insert(timestamp, 160, (160, 8000), 0, payload)
    }

    #[test]
    fn payloads_come_back_whole_and_in_the_order_of_their_timestamps_across_the_wrap() {
        let mut packets = Packets::new();
        let start = u32::MAX - 400;
        for n in [3, 0, 2, 1, 4] {
            let payload = vec![n as u8; 1 + n as usize * 79];
            insert(&mut packets, start.wrapping_add(n * 160), &payload).unwrap();
        }
        assert_eq!(insert(&mut packets, start, &[9]), Err(Refused::Twin));
        let mut payload = Vec::new();
        for n in 0..5 {
            packets.read_first(&mut payload);
            assert_eq!(payload, vec![n as u8; 1 + n as usize * 79]);
            packets.drop_first();
        }
        assert!(packets.first().is_none());
    }

    #[test]
    fn the_room_is_bounded_in_packets_and_in_octets_and_all_of_it_comes_back() {
        let mut packets = Packets::new();
        for _ in 0..3 {
            let long = [7; MAX_PAYLOAD];
            let taken = (0..5000).take_while(|n| insert(&mut packets, n * 160, &long).is_ok()).count();
            assert_eq!(taken, BLOCKS * BLOCK / MAX_PAYLOAD);
            while packets.first().is_some() {
                packets.drop_first();
            }
            let taken = (0..5000).take_while(|n| insert(&mut packets, n * 8, &[1]).is_ok()).count();
            assert_eq!(taken, SLOTS);
            packets.clear();
        }
    }
}
