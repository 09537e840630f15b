//! The life of a business message after it was accepted.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::state::Recorded;
use super::{Shared, StatusDelays, wire};

/// What will become of a message.
pub(super) enum Course {
    /// `sent`, `delivered`, `read`.
    Usual,
    /// These statuses in this order.
    Scripted(Vec<&'static str>),
    /// It fails with a code.
    Fails(i32),
}

impl Course {
    fn statuses(&self) -> Vec<&'static str> {
        match self {
            Self::Usual => vec!["sent", "delivered", "read"],
            Self::Scripted(statuses) => statuses.clone(),
            Self::Fails(_) => vec!["failed"],
        }
    }

    fn failure(&self) -> Option<i32> {
        match self {
            Self::Fails(code) => Some(*code),
            Self::Usual | Self::Scripted(_) => None,
        }
    }
}

/// Lets a message take its course in the background.
pub(super) fn begin(shared: &Arc<Shared>, message: Recorded, course: Course) {
    let underway = shared.deliverer.begin();
    let task = {
        let shared = shared.clone();
        async move {
            follow(&shared, &message, &course).await;
            drop(underway);
        }
    };
    shared
        .tasks
        .spawn(shared.stopping.clone().run_until_cancelled_owned(task));
}

/// Posts the statuses of a message one after another.
pub(super) async fn follow(shared: &Shared, message: &Recorded, course: &Course) {
    for status in course.statuses() {
        tokio::time::sleep(pause_before(status, &shared.options.status_delays)).await;
        let at = happened_at(status, message, &shared.options.status_delays);
        shared.state.status(&message.wamid, status, at);
        let body = wire::status_body(&shared.options, message, status, at, course.failure());
        shared.deliverer.post(&body).await;
    }
}

fn pause_before(status: &str, delays: &StatusDelays) -> Duration {
    match status {
        "delivered" => delays.delivered,
        "read" | "played" => delays.read,
        _ => delays.sent,
    }
}

/// The time of the event itself, which does not depend on when or in which order it is told.
fn happened_at(status: &str, message: &Recorded, delays: &StatusDelays) -> DateTime<Utc> {
    let after = match status {
        "delivered" => delays.sent + delays.delivered,
        "read" | "played" => delays.sent + delays.delivered + delays.read,
        _ => delays.sent,
    };
    message.at + after
}
