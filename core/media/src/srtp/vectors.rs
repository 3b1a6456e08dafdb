//! What the RFCs have worked out, byte for byte.

use aes::cipher::KeyInit as _;
use aes::{Aes128Enc, Aes256Enc};

use super::cipher::{Block as _, Cipher};
use super::derive::derive;
use super::{Head, Keys, Number, Suite};

/// Bytes of hexadecimal digits, blanks passed over.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn derived(keys: &Keys, label: u8, bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    derive(keys, label, &mut out);
    out
}

#[test]
fn session_keys_are_those_of_rfc_3711_appendix_b_3() {
    let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let keys = Keys::new(Suite::AesCm128Sha1_80, &master).unwrap();
    assert_eq!(derived(&keys, 0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derived(&keys, 2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication = "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE \
        E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 \
        6B68642C59BBFC2F34DB60DBDFB2";
    assert_eq!(derived(&keys, 1, 94), hex(authentication));
}

#[test]
fn session_keys_are_those_of_rfc_6188_section_7_2() {
    let master =
        hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 3b04803de51ee7c96423ab5b78d2");
    let keys = Keys::new(Suite::AesCm256Sha1_80, &master).unwrap();
    let key = hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
    assert_eq!(derived(&keys, 0, 32), key);
    assert_eq!(derived(&keys, 2, 14), hex("fa31791685ca444a9e07c6c64e93"));
    assert_eq!(derived(&keys, 1, 20), hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

#[test]
fn keystreams_are_those_of_rfc_3711_appendix_b_2_and_rfc_6188_section_7_1() {
    let counter = *hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").first_chunk().unwrap();
    let mut stream = vec![0; 1_044_512];
    Aes128Enc::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C"))
        .unwrap()
        .keystream(&counter, &mut stream);
    assert_eq!(
        stream[..48],
        hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB \
            41E95B3BB0A2E8DD477901E4FCA894C0")
    );
    assert_eq!(
        stream[1_044_464..],
        hex("EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE \
            6A2CC3787889374FBEB4C81B17BA6C44")
    );
    stream.fill(0);
    let key = hex("57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98");
    Aes256Enc::new_from_slice(&key).unwrap().keystream(&counter, &mut stream);
    assert_eq!(
        stream[..48],
        hex("92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac \
            63c4868b7096d88421b563b8c94c9a31")
    );
    assert_eq!(
        stream[1_044_464..],
        hex("cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d \
            6eb246913062a16891433e97dd01a57f")
    );
}

/// Seals and opens with a session key that is given as it is.
fn galois(suite: Suite, number: Number, clear: &str, sealed: &str) {
    let key: Vec<u8> = (0..suite.key_bytes() as u8).collect();
    let cipher = Cipher::new(suite, &key, &[0; 20], b"Quid pro quo", 16);
    let mut packet = hex(clear);
    let head = match number {
        Number::Rtp(_) => Head::of_rtp(&packet).unwrap().0,
        Number::Rtcp(_) => Head::of_rtcp(&packet).unwrap(),
    };
    cipher.seal(&mut packet, head, number);
    assert_eq!(packet, hex(sealed), "{suite:?}");
    cipher.open(&mut packet, head, number, 0).unwrap();
    assert_eq!(packet, hex(clear), "{suite:?}");
}

#[test]
fn packets_of_rfc_7714_section_16_are_sealed_and_opened() {
    let clear = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 \
        61727465 73207472 6573";
    let number = Number::Rtp(0xf17b);
    let sealed = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a \
        51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
    galois(Suite::AesGcm128, number, clear, sealed);
    let sealed = "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 \
        76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13";
    galois(Suite::AesGcm256, number, clear, sealed);
}

#[test]
fn packets_of_rfc_7714_section_17_are_sealed_and_opened() {
    let number = Number::Rtcp(0x05d4);
    let clear = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef \
        deadbeef deadbeef deadbeef";
    let sealed = "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda \
        4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4";
    galois(Suite::AesGcm128, number, clear, sealed);
    let sealed = "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be \
        8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4";
    galois(Suite::AesGcm256, number, clear, sealed);
}
