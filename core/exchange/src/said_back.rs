//! What arrived here is said back to who asks for it: he sees what became of it on the way.
//!
//! RFC 3420 (`message/sipfrag`), in the answer to an OPTIONS. Knows nothing of what that tells him.

use sip::message::{Draft, Message, Method, Name};

/// The longest request that is said back to who asks for it.
const MOST_SAID_BACK: usize = 1300;

/// Says back what arrived, to one who asks by OPTIONS for it: he sees what became of it on the way. RFC 3420. The answer is
/// about twice as long as the question at most, so that nobody is flooded by it.
pub(crate) fn say_back(request: &Message, response: &mut Draft) {
    let wants = request.method() == Method::Options && request.lists(Name::Accept, "message/sipfrag");
    if wants && request.bytes().len() <= MOST_SAID_BACK {
        response.body("message/sipfrag", request.share());
    }
}
