//! What a QR code in a picture says: an account that somebody hands out, as [`crate::Phone::preview`] takes it.
//!
//! ISO/IEC 18004, by `rqrr`. Knows nothing of cameras, and nothing of what the text means.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Pixels of a side, at most: codes are found well in less, and a frame costs some milliseconds a megapixel.
const LARGEST: u32 = 4096;
/// And at least: the smallest code has 21 modules.
const SMALLEST: u32 = 21;

/// The text of the first QR code in a picture that can be read; none: there is none yet, try the next frame. `luma`: the
/// brightness of each pixel, row by row, `stride` bytes apart (of a camera's YUV the first plane). Longer sides than 4,096
/// pixels are to be scaled down before. It takes some ten milliseconds: not for the main thread.
#[uniffi::export]
pub fn read_qr(width: u32, height: u32, stride: u32, luma: Vec<u8>) -> Option<String> {
    let sides = SMALLEST..=LARGEST;
    if !sides.contains(&width) || !sides.contains(&height) || stride < width {
        return None;
    }
    let (width, height, stride) = (width as usize, height as usize, stride as usize);
    // The last row may end with its last pixel.
    if luma.len() < stride.checked_mul(height - 1)?.checked_add(width)? {
        return None;
    }
    // It is a stranger's picture, and another's code that reads it: a mistake in that must not end the phone.
    catch_unwind(AssertUnwindSafe(|| first(width, height, |x, y| luma[y * stride + x]))).ok().flatten()
}

fn first(width: usize, height: usize, pixel: impl Fn(usize, usize) -> u8) -> Option<String> {
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let found = picture.detect_grids().into_iter().find_map(|grid| grid.decode().ok());
    found.map(|(_, text)| text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use qrcodegen::{QrCode, QrCodeEcc};

    use super::*;

    const LINK: &str = "https://provider.example.com/offhook?token=5f3a";

    /// A picture of a code, `scale` pixels a module, turned by `turns` quarters, in a wide frame.
    fn picture(text: &str, scale: u32, turns: u32) -> (u32, u32, u32, Vec<u8>) {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let modules = code.size() as u32;
        let (width, height) = ((modules + 12) * scale, (modules + 8) * scale);
        let stride = width + 5;
        let mut luma = vec![200; (stride * height) as usize];
        for y in 0..height {
            for x in 0..width {
                let (mut i, mut j) = ((x / scale) as i32 - 6, (y / scale) as i32 - 4);
                for _ in 0..turns {
                    (i, j) = (j, modules as i32 - 1 - i);
                }
                if code.get_module(i, j) {
                    luma[(y * stride + x) as usize] = 40;
                }
            }
        }
        (width, height, stride, luma)
    }

    #[test]
    fn a_code_is_read_however_it_is_held_and_however_bright_it_is() {
        for turns in 0..4 {
            let (width, height, stride, mut luma) = picture(LINK, 4, turns);
            // Light from one side, and noise.
            for (at, pixel) in luma.iter_mut().enumerate() {
                *pixel = pixel.saturating_add((at as u32 % stride / 8) as u8 / 2 + (at * 7919 % 13) as u8);
            }
            assert_eq!(read_qr(width, height, stride, luma).as_deref(), Some(LINK), "{turns}");
        }
        let document =
            format!("{{\"offhook\":1,\"uri\":\"sip:1001@example.com\",\"note\":\"{}\"}}", "ä".repeat(300));
        let (width, height, stride, luma) = picture(&document, 3, 0);
        assert_eq!(read_qr(width, height, stride, luma), Some(document));
    }

    #[test]
    fn a_picture_that_is_none_or_not_as_large_as_it_says_has_no_code() {
        let (width, height, stride, luma) = picture(LINK, 4, 0);
        let short = luma[..luma.len() / 2].to_vec();
        for (width, height, stride, luma) in [
            (width, height, stride, short),
            (width, height, width - 1, luma.clone()),
            (0, 0, 0, Vec::new()),
            (u32::MAX, u32::MAX, u32::MAX, luma.clone()),
            (width, height, stride, vec![0; luma.len()]),
            (width, height, stride, vec![255; luma.len()]),
        ] {
            assert_eq!(read_qr(width, height, stride, luma), None, "{width} x {height}");
        }
    }

    #[test]
    fn a_damaged_picture_is_read_or_not_and_nothing_worse() {
        let (width, height, stride, whole) = picture(LINK, 3, 1);
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..300 {
            let mut luma = whole.clone();
            for _ in 0..=random(40) {
                let (from, length, value) = (random(luma.len()), random(400), random(256) as u8);
                luma.iter_mut().skip(from).take(length).for_each(|pixel| *pixel = value);
            }
            // Not by way of `read_qr`, which would hide a panic.
            let read = first(width as usize, height as usize, |x, y| luma[y * stride as usize + x]);
            assert!(read.is_none_or(|text| text == LINK));
        }
    }
}
