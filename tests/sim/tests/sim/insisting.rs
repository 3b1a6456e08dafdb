//! Some of the other tests once more, with phones that take no call in clear: the short form of a run of all of them.
//!
//! A world looks at every packet of media that leaves such a phone, and one in clear ends the test. The long form is
//! `OFFHOOK_ENCRYPT=sdes` and `=dtls` for the whole suite, which `scripts/check --long` runs.

use offhook_sim::insisting;
use phone::KeysBy;

use super::{bad_links, conference, families, handover, ringing, streams, ways};

const TESTS: [fn(); 12] = [
    bad_links::each_hears_the_other_over_bad_links_and_nobody_while_on_hold,
    conference::in_a_conference_everybody_hears_all_others_and_nobody_itself,
    families::with_ipv6_alone_an_ipv4_exchange_is_reached_by_name_and_by_number_and_calls_are_heard,
    handover::a_call_that_finds_wifi_moves_there_and_hardly_anything_is_missed,
    handover::a_call_whose_wifi_just_dies_goes_on_by_the_mobile_network,
    handover::what_is_heard_before_the_answer_is_heard_by_wifi_as_well,
    ringing::a_call_of_ours_whose_network_goes_while_it_rings_is_made_anew_and_no_call_is_missed,
    ringing::a_call_of_ours_with_early_media_moves_by_update_before_it_is_answered,
    ringing::a_call_whose_sides_change_their_networks_at_once_is_not_lost,
    streams::a_call_outlives_a_restart_of_the_exchange,
    ways::an_invite_fits_a_datagram_whatever_there_is_to_offer,
    ways::a_relay_is_given_back_when_a_straighter_way_lasts_and_is_asked_for_again_when_ways_are_found_anew,
];

#[test]
fn with_told_keys_nothing_leaves_in_clear_whatever_becomes_of_calls() {
    for test in TESTS {
        insisting(KeysBy::Sdes, test);
    }
}

#[test]
fn with_agreed_keys_nothing_leaves_in_clear_whatever_becomes_of_calls() {
    for test in TESTS {
        insisting(KeysBy::Dtls, test);
    }
}
