//! Settings from TOML files. An error names the file, the line and the key.
//!
//! A key of a part that this build lacks is an error that says so: what was asked for is never silently left out.

pub(crate) mod nat;
pub(crate) mod parts;
pub(crate) mod phone;

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Reads one file whole.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{}: cannot be read: {error}", path.display())))?;
    parse(&text).map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))
}

/// Reads one text; the error is `line N: key: why`.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        // Only the first line: others would quote the text, and the text holds a password.
        let why = error.message().lines().next().unwrap_or_default();
        let Some(span) = error.span() else { return why.to_owned() };
        let before = text.get(..span.start).unwrap_or(text);
        let number = before.matches('\n').count() + 1;
        let line = text.lines().nth(number - 1).unwrap_or_default().trim();
        let key = line.split('=').next().unwrap_or_default().trim();
        if why.contains(&format!("`{key}`")) || key.is_empty() {
            format!("line {number}: {why}")
        } else {
            format!("line {number}: {key}: {why}")
        }
    })
}

#[cfg(test)]
mod tests {
    use exchange::server::ServerConfig;

    use super::phone::PhoneFile;
    use super::*;

    fn phone_error(text: &str) -> String {
        parse::<PhoneFile>(text).err().unwrap()
    }

    #[test]
    fn the_whole_example_of_the_built_parts_is_read() {
        let text = r#"
            data = "phone-data"
            bind = "127.0.0.1:0"
            [account]
            uri = "sip:1001@offhook.test"
            proxy = "sip:127.0.0.1:5060;transport=udp"
            auth_user = "1001"
            password = "secret-1001"
            display_name = "Ann"
            register = true
            expires = 300
            reliable_provisional = "supported"
            session_expires = 1800
            transport = "auto"
            codecs = ["PCMU", "PCMA"]
            encryption = "none"
            srtp = "required"
            srtp_keys = "sdes"
            sdes_in_clear = false
            [nat]
            stun = "stun:127.0.0.1:3478"
            turn = { uri = "turn:127.0.0.1:3478", user = "u", password = "p" }
            ice = true
            tcp_punch = true
            [audio]
            play = "speech.wav"
            record = "heard.wav"
            country = "DE"
            echo_cancellation = false
            microphone_gain_db = 6
            loudspeaker_gain_db = -2.5
        "#;
        let file: PhoneFile = parse(text).unwrap();
        let account = file.account.unwrap();
        assert!(account.password.is_some());
        let gains = [file.audio.microphone_gain_db, file.audio.loudspeaker_gain_db]
            .map(|gain| (gain.unwrap().0 * 10.0) as i32);
        assert!(gains == [60, -25] && file.audio.echo_cancellation == Some(false));
        assert_eq!((account.expires, account.codecs.unwrap().0.len()), (Some(300), 2));

        let text = r#"
            domain = "offhook.test"
            database = "exchange.sqlite"
            [listen]
            udp = "127.0.0.1:5060"
            tcp = "127.0.0.1:5060"
            [[user]]
            number = "1001"
            password = "secret"
            [[redirect]]
            prefix = "8"
            contact = "sip:{number}@127.0.0.1:6060"
            [[domain_route]]
            domain = "other.test"
            next_hop = "127.0.0.1:6060"
        "#;
        let file: ServerConfig = parse(text).unwrap();
        assert_eq!((file.user.len(), file.redirect.len(), file.domain_route.len()), (1, 1, 1));
    }

    #[cfg(feature = "rest")]
    #[test]
    fn a_service_stands_in_the_place_of_relays_and_its_key_is_never_shown() {
        let turn = |given: &str| parse::<PhoneFile>(&format!("[nat]\nturn = {given}\n"));
        let file = turn(r#"{ service = "https://relays.offhook.test/turn", token = "key-7" }"#).unwrap();
        assert!(!format!("{file:?}").contains("key-7") && file.nat.unwrap().turn.service.is_some());
        let error = turn(r#"{ service = "http://relays.offhook.test/?key=key-7" }"#).err().unwrap();
        assert!(error.starts_with("line 2: turn: ") && error.contains("https://HOST/PATH"), "{error}");
        assert!(!error.contains("key-7"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = phone_error("[account]\nuri = \"sip:a@b\"\nexpire = 3\n");
        assert!(error.starts_with("line 3: unknown field `expire`"), "{error}");
        let error = parse::<ServerConfig>("\n[[user]]\nnumbr = \"1\"\n").err().unwrap();
        assert!(error.starts_with("line 3: unknown field `numbr`"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line_and_key_and_not_quoted() {
        let error = phone_error("[account]\nuri = \"sip:a@b\"\nexpires = \"long\"\n");
        assert!(error.starts_with("line 3: expires: invalid type"), "{error}");
        let error = phone_error("[account]\nuri = \"sip:a@b\"\npassword = hunter2\n");
        assert!(error.starts_with("line 3: password: ") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named_like_a_misspelt_one() {
        let account = |line: &str| phone_error(&format!("[account]\n{line}\n"));
        for (line, why) in [
            ("uri = \"bob\"", "line 2: uri: `bob` is not a SIP URI"),
            ("proxy = \"127.0.0.1\"", "line 2: proxy: `127.0.0.1` is not a SIP URI"),
            ("codecs = []", "line 2: codecs: name at least one"),
            ("session_expires = 30", "line 2: session_expires: a session timer has at least 90 seconds"),
            ("expires = -1", "line 2: expires: "),
            ("reliable_provisional = \"often\"", "line 2: reliable_provisional: "),
        ] {
            assert!(account(line).starts_with(why), "{}", account(line));
        }
    }

    #[test]
    fn keys_of_calls_are_not_taken_for_encryption_of_signalling() {
        let account = |line: &str| phone_error(&format!("[account]\nuri = \"sip:a@b\"\n{line}\n"));
        let error = account("encryption = \"sdes\"");
        assert!(error.starts_with("line 3: encryption: ") && error.contains("`srtp`"), "{error}");
    }

    #[test]
    fn vos_is_read_and_what_nobody_knows_of_it_is_said_to_be_not_supported() {
        let vos = |inside: &str| {
            parse::<PhoneFile>(&format!(
                "[account]\nuri = \"sip:a@b\"\nencryption = \"vos\"\nvos = {{ {inside} }}\n"
            ))
        };
        let table =
            vos(r#"id = "gw-7", key = "k", media = "xor", version = "1.1""#).unwrap().account.unwrap();
        let (on, vos_table) = (table.encryption.unwrap().0, table.vos.unwrap());
        let (id, media) = (vos_table.id.unwrap(), vos_table.media.unwrap());
        assert_eq!((on, id.as_str(), media.0), (true, "gw-7", ::phone::VosMedia::Xor));
        for (inside, why) in [
            (r#"media = "rc4""#, "RC4 media is not supported"),
            (r#"version = "2.0""#, "VOS 2.0 is not supported"),
            (r#"media = "tls""#, "known are plain, xor (experimental)"),
            ("port = 5070", "unknown field `port`"),
        ] {
            let error = vos(inside).err().unwrap();
            assert!(error.starts_with("line 4: ") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_account_is_a_sip_address() {
        for (uri, why) in [
            ("http://h.test", "`http://h.test` is not a SIP URI"),
            ("1001@h.test", "`1001@h.test` is not a SIP URI"),
            ("sips:a@h.test", "sips is not in this build"),
        ] {
            let error = phone_error(&format!("[account]\nuri = \"{uri}\"\n"));
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_country_is_two_letters_known_or_not() {
        let read = |iso| parse::<PhoneFile>(&format!("[audio]\ncountry = \"{iso}\"\n"));
        let country = |iso| read(iso).unwrap().audio.country.unwrap().0.iso();
        assert_eq!((country("de"), country("XK")), ("DE", "ZZ"));
        for iso in ["", "D", "DEU", "4x", "ß"] {
            let error = read(iso).err().unwrap();
            assert!(error.starts_with("line 2: country: ") && error.contains("two letters"), "{error}");
        }
    }

    #[test]
    fn a_gain_beyond_what_helps_is_refused() {
        for (gain, why) in
            [("20.1", "-40 to 20 dB"), ("-41", "-40 to 20 dB"), ("nan", "-40 to 20 dB"), ("true", "bool")]
        {
            let error = phone_error(&format!("[audio]\nmicrophone_gain_db = {gain}\n"));
            assert!(error.starts_with("line 2: microphone_gain_db: ") && error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_unknown_codec_is_not_taken_for_a_later_one() {
        let error = phone_error("[account]\nuri = \"sip:a@b\"\ncodecs = [\"MP3\"]\n");
        assert!(error.contains("`MP3`") && !error.contains("not in this build"), "{error}");
    }
}
