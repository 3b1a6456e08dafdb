//! Hold, transfer, a fork and a handover once more, between phones that take no call in clear.
//!
//! The world looks at every packet of media that leaves such a phone, and one in clear ends the test.

use offhook_sim::insisting;
use phone::KeysBy;

use crate::{forking, hold, session, transfer};

const FLOWS: [fn(); 7] = [
    hold::a_call_is_held_and_resumed,
    hold::both_may_hold_and_one_may_resume,
    hold::a_held_call_waits_while_another_is_consulted,
    transfer::blind_transfer_reports_progress_and_ends_the_first_call,
    transfer::attended_transfer_puts_the_two_others_through,
    forking::all_phones_of_a_user_ring_and_the_first_to_answer_has_the_call,
    session::a_phone_that_moves_in_a_call_registers_there_and_tells_the_other_side_by_re_invite,
];

#[test]
fn no_flow_between_phones_that_insist_has_a_packet_in_clear() {
    for by in [KeysBy::Sdes, KeysBy::Dtls] {
        for flow in FLOWS {
            insisting(by, flow);
        }
    }
}
