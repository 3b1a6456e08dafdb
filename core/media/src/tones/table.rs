//! Which tones a country's exchanges play.
//!
//! ITU-T E.180's facts, as the zone tables of PBX configurations carry them; put into this form by machine, row by row
//! in the order of the ISO 3166 codes. A country is here when its table was at hand; one that has no call waiting tone
//! of its own borrows [`GENERAL`]'s. Not checked against the exchanges themselves, but for what cannot be: Japan's 15
//! and 16 Hz stand there as sounds of their own and are modulations here, and Thailand's call waiting of 10 kHz is left
//! out.

use super::{FOREVER, Segment};

/// The tones of one country.
#[derive(Debug)]
pub(super) struct Zone {
    /// ISO 3166, two letters.
    pub(super) iso: [u8; 2],
    pub(super) ringback: &'static [Segment],
    pub(super) busy: &'static [Segment],
    pub(super) congestion: &'static [Segment],
    pub(super) waiting: &'static [Segment],
    pub(super) dial: &'static [Segment],
}

/// What E.180 recommends and most of the world plays: 425 Hz. For countries that are not here; `ZZ` is ISO's for
/// unknown.
pub(super) static GENERAL: Zone = Zone {
    iso: *b"ZZ",
    ringback: &[on(425, 1000), off(4000)],
    busy: &[on(425, 500), off(500)],
    congestion: &[on(425, 250), off(250)],
    waiting: &[on(425, 200), off(600), on(425, 200), off(3000)],
    dial: &[on(425, FOREVER)],
};

const fn off(ms: u32) -> Segment {
    Segment { hz: [0, 0], modulated_by_hz: 0, ms, once: false }
}

const fn on(hz: u16, ms: u32) -> Segment {
    both(hz, 0, ms)
}

const fn both(first: u16, second: u16, ms: u32) -> Segment {
    Segment { hz: [first, second], modulated_by_hz: 0, ms, once: false }
}

const fn beat(hz: u16, modulated_by_hz: u16, ms: u32) -> Segment {
    Segment { hz: [hz, 0], modulated_by_hz, ms, once: false }
}

const fn once(segment: Segment) -> Segment {
    Segment { once: true, ..segment }
}

/// In the order of their codes.
#[rustfmt::skip]
pub(super) static ZONES: [Zone; 40] = [
    // Austria
    Zone {
        iso: *b"AT",
        ringback: &[on(420, 1000), off(5000)],
        busy: &[on(420, 400), off(400)],
        congestion: &[on(420, 200), off(200)],
        waiting: &[on(420, 40), off(1960)],
        dial: &[on(420, FOREVER)],
    },
    // Australia
    Zone {
        iso: *b"AU",
        ringback: &[both(413, 438, 400), off(200), both(413, 438, 400), off(2000)],
        busy: &[on(425, 375), off(375)],
        congestion: &[on(425, 375), off(375), on(420, 375), off(375)],
        waiting: &[on(425, 200), off(200), on(425, 200), off(4400)],
        dial: &[both(413, 438, FOREVER)],
    },
    // Belgium
    Zone {
        iso: *b"BE",
        ringback: &[on(425, 1000), off(3000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 167), off(167)],
        waiting: &[on(1400, 175), off(175), on(1400, 175), off(3500)],
        dial: &[on(425, FOREVER)],
    },
    // Bulgaria
    Zone {
        iso: *b"BG",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 250), off(250)],
        waiting: &[on(425, 150), off(150), on(425, 150), off(4000)],
        dial: &[on(425, FOREVER)],
    },
    // Brazil
    Zone {
        iso: *b"BR",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 250), off(250)],
        congestion: &[on(425, 250), off(250), on(425, 750), off(250)],
        waiting: &[on(425, 50), off(1000)],
        dial: &[on(425, FOREVER)],
    },
    // Switzerland
    Zone {
        iso: *b"CH",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(425, 200), off(200), on(425, 200), off(4000)],
        dial: &[on(425, FOREVER)],
    },
    // Chile
    Zone {
        iso: *b"CL",
        ringback: &[on(400, 1000), off(3000)],
        busy: &[on(400, 500), off(500)],
        congestion: &[on(400, 200), off(200)],
        waiting: &[on(400, 250), off(8750)],
        dial: &[on(400, FOREVER)],
    },
    // China
    Zone {
        iso: *b"CN",
        ringback: &[on(450, 1000), off(4000)],
        busy: &[on(450, 350), off(350)],
        congestion: &[on(450, 700), off(700)],
        waiting: &[on(450, 400), off(4000)],
        dial: &[on(450, FOREVER)],
    },
    // Czechia
    Zone {
        iso: *b"CZ",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 330), off(330)],
        congestion: &[on(425, 165), off(165)],
        waiting: &[on(425, 330), off(9000)],
        dial: &[on(425, 330), off(330), on(425, 660), off(660)],
    },
    // Germany
    Zone {
        iso: *b"DE",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 480), off(480)],
        congestion: &[on(425, 240), off(240)],
        waiting: &[
            once(on(425, 200)), once(off(200)), once(on(425, 200)), once(off(5000)), once(on(425, 200)),
            once(off(200)), once(on(425, 200)), once(off(5000)), once(on(425, 200)), once(off(200)),
            once(on(425, 200)), once(off(5000)), once(on(425, 200)), once(off(200)), once(on(425, 200)),
            once(off(5000)), once(on(425, 200)), once(off(200)), once(on(425, 200)), off(FOREVER),
        ],
        dial: &[on(425, FOREVER)],
    },
    // Denmark
    Zone {
        iso: *b"DK",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[
            once(on(425, 200)), once(off(600)), once(on(425, 200)), once(off(3000)), once(on(425, 200)),
            once(off(200)), once(on(425, 200)), off(FOREVER),
        ],
        dial: &[on(425, FOREVER)],
    },
    // Estonia
    Zone {
        iso: *b"EE",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 300), off(300)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(950, 650), off(325), on(950, 325), off(30), on(1400, 1300), off(2600)],
        dial: &[on(425, FOREVER)],
    },
    // Spain
    Zone {
        iso: *b"ES",
        ringback: &[on(425, 1500), off(3000)],
        busy: &[on(425, 200), off(200)],
        congestion: &[on(425, 200), off(200), on(425, 200), off(200), on(425, 200), off(600)],
        waiting: &[on(425, 175), off(175), on(425, 175), off(3500)],
        dial: &[on(425, FOREVER)],
    },
    // Finland
    Zone {
        iso: *b"FI",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 300), off(300)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(425, 150), off(150), on(425, 150), off(8000)],
        dial: &[on(425, FOREVER)],
    },
    // France
    Zone {
        iso: *b"FR",
        ringback: &[on(440, 1500), off(3500)],
        busy: &[on(440, 500), off(500)],
        congestion: &[on(440, 250), off(250)],
        waiting: GENERAL.waiting,
        dial: &[on(440, FOREVER)],
    },
    // United Kingdom
    Zone {
        iso: *b"GB",
        ringback: &[both(400, 450, 400), off(200), both(400, 450, 400), off(2000)],
        busy: &[on(400, 375), off(375)],
        congestion: &[on(400, 400), off(350), on(400, 225), off(525)],
        waiting: &[on(400, 100), off(4000)],
        dial: &[both(350, 440, FOREVER)],
    },
    // Greece
    Zone {
        iso: *b"GR",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 300), off(300)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(425, 150), off(150), on(425, 150), off(8000)],
        dial: &[on(425, 200), off(300), on(425, 700), off(800)],
    },
    // Hungary
    Zone {
        iso: *b"HU",
        ringback: &[on(425, 1250), off(3750)],
        busy: &[on(425, 300), off(300)],
        congestion: &[on(425, 300), off(300)],
        waiting: &[on(425, 40), off(1960)],
        dial: &[on(425, FOREVER)],
    },
    // Indonesia
    Zone {
        iso: *b"ID",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 250), off(250)],
        waiting: &[on(425, 150), off(150), on(425, 150), off(10000)],
        dial: &[on(425, FOREVER)],
    },
    // Israel
    Zone {
        iso: *b"IL",
        ringback: &[on(414, 1000), off(3000)],
        busy: &[on(414, 500), off(500)],
        congestion: &[on(414, 250), off(250)],
        waiting: &[on(414, 100), off(100), on(414, 100), off(100), on(414, 600), off(3000)],
        dial: &[on(414, FOREVER)],
    },
    // India
    Zone {
        iso: *b"IN",
        ringback: &[beat(400, 25, 400), off(200), beat(400, 25, 400), off(2000)],
        busy: &[on(400, 750), off(750)],
        congestion: &[on(400, 250), off(250)],
        waiting: &[on(400, 200), off(100), on(400, 200), off(7500)],
        dial: &[beat(400, 25, FOREVER)],
    },
    // Italy
    Zone {
        iso: *b"IT",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(425, 400), off(100), on(425, 250), off(100), on(425, 150), off(14000)],
        dial: &[on(425, 200), off(200), on(425, 600), off(1000)],
    },
    // Japan
    Zone {
        iso: *b"JP",
        ringback: &[beat(400, 15, 1000), off(2000)],
        busy: &[on(400, 500), off(500)],
        congestion: &[on(400, 500), off(500)],
        waiting: &[beat(400, 16, 500), off(8000)],
        dial: &[on(400, FOREVER)],
    },
    // Lithuania
    Zone {
        iso: *b"LT",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 350), off(350)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(425, 150), off(150), on(425, 150), off(4000)],
        dial: &[on(425, FOREVER)],
    },
    // Mexico
    Zone {
        iso: *b"MX",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 250), off(250)],
        congestion: &[on(425, 250), off(250)],
        waiting: &[on(425, 200), off(600), on(425, 200), off(10000)],
        dial: &[on(425, FOREVER)],
    },
    // Malaysia
    Zone {
        iso: *b"MY",
        ringback: &[on(425, 400), off(200), on(425, 400), off(2000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 500), off(500)],
        waiting: GENERAL.waiting,
        dial: &[on(425, FOREVER)],
    },
    // Netherlands
    Zone {
        iso: *b"NL",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 250), off(250)],
        waiting: &[on(425, 500), off(9500)],
        dial: &[on(425, FOREVER)],
    },
    // Norway
    Zone {
        iso: *b"NO",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(425, 200), off(600), on(425, 200), off(10000)],
        dial: &[on(425, FOREVER)],
    },
    // New Zealand
    Zone {
        iso: *b"NZ",
        ringback: &[both(400, 450, 400), off(200), both(400, 450, 400), off(2000)],
        busy: &[on(400, 500), off(500)],
        congestion: &[on(400, 250), off(250)],
        waiting: &[
            once(on(400, 200)), once(off(3000)), once(on(400, 200)), once(off(3000)), once(on(400, 200)),
            once(off(3000)), once(on(400, 200)),
        ],
        dial: &[on(400, FOREVER)],
    },
    // Philippines
    Zone {
        iso: *b"PH",
        ringback: &[both(425, 480, 1000), off(4000)],
        busy: &[both(480, 620, 500), off(500)],
        congestion: &[both(480, 620, 250), off(250)],
        waiting: &[on(440, 300), off(10000)],
        dial: &[on(425, FOREVER)],
    },
    // Poland
    Zone {
        iso: *b"PL",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 500), off(500)],
        waiting: &[on(425, 150), off(150), on(425, 150), off(4000)],
        dial: &[on(425, FOREVER)],
    },
    // Portugal
    Zone {
        iso: *b"PT",
        ringback: &[on(425, 1000), off(5000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 200), off(200)],
        waiting: &[on(440, 300), off(10000)],
        dial: &[on(425, FOREVER)],
    },
    // Russia
    Zone {
        iso: *b"RU",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 350), off(350)],
        congestion: &[on(425, 175), off(175)],
        waiting: &[on(425, 200), off(5000)],
        dial: &[on(425, FOREVER)],
    },
    // Sweden
    Zone {
        iso: *b"SE",
        ringback: &[on(425, 1000), off(5000)],
        busy: &[on(425, 250), off(250)],
        congestion: &[on(425, 250), off(750)],
        waiting: &[on(425, 200), off(500), on(425, 200), off(9100)],
        dial: &[on(425, FOREVER)],
    },
    // Singapore
    Zone {
        iso: *b"SG",
        ringback: &[beat(425, 24, 400), off(200), beat(425, 24, 400), off(2000)],
        busy: &[on(425, 750), off(750)],
        congestion: &[on(425, 250), off(250)],
        waiting: &[beat(425, 24, 300), off(200), beat(425, 24, 300), off(3200)],
        dial: &[on(425, FOREVER)],
    },
    // Thailand
    Zone {
        iso: *b"TH",
        ringback: &[on(420, 1000), off(5000)],
        busy: &[on(400, 500), off(500)],
        congestion: &[on(400, 300), off(300)],
        waiting: GENERAL.waiting,
        dial: &[beat(400, 50, FOREVER)],
    },
    // Taiwan
    Zone {
        iso: *b"TW",
        ringback: &[both(440, 480, 1000), off(2000)],
        busy: &[both(480, 620, 500), off(500)],
        congestion: &[both(480, 620, 250), off(250)],
        waiting: &[both(350, 440, 250), off(250), both(350, 440, 250), off(3250)],
        dial: &[both(350, 440, FOREVER)],
    },
    // United States
    Zone {
        iso: *b"US",
        ringback: &[both(440, 480, 2000), off(4000)],
        busy: &[both(480, 620, 500), off(500)],
        congestion: &[both(480, 620, 250), off(250)],
        waiting: &[on(440, 300), off(10000)],
        dial: &[both(350, 440, FOREVER)],
    },
    // Venezuela
    Zone {
        iso: *b"VE",
        ringback: &[on(425, 1000), off(4000)],
        busy: &[on(425, 500), off(500)],
        congestion: &[on(425, 250), off(250)],
        waiting: &[both(400, 450, 300), off(6000)],
        dial: &[on(425, FOREVER)],
    },
    // South Africa
    Zone {
        iso: *b"ZA",
        ringback: &[beat(400, 33, 400), off(200), beat(400, 33, 400), off(2000)],
        busy: &[on(400, 500), off(500)],
        congestion: &[on(400, 250), off(250)],
        waiting: &[
            beat(400, 33, 250), off(250), beat(400, 33, 250), off(250), beat(400, 33, 250), off(250),
            beat(400, 33, 250), off(250),
        ],
        dial: &[beat(400, 33, FOREVER)],
    },
];
