//! The report as one page that needs nothing else: no script, no font, no address. It can be attached to a mail, kept
//! as an artifact of a pipeline, and read on a phone.
//!
//! What is shown is decided in `view`, drawn in `plot`, and laid out in `eval/templates/report.html`.

mod plot;
mod view;

use askama::Template;

use self::view::Page;
use super::Report;
use crate::error::EvalError;

/// Renders the page; `before` is the run to compare with.
pub fn render(report: &Report, before: Option<&Report>) -> Result<String, EvalError> {
    Page::new(report, before)
        .render()
        .map_err(|error| EvalError::Infra(format!("report.html: cannot be made: {error}")))
}
