//! PDF
use crate::block::Extraction;
use crate::extract::{ExtractError, Limits};
pub(super) fn extract(_bytes: &[u8], file_name: &str, _limits: &Limits) -> Result<Extraction, ExtractError> {
    Err(ExtractError::new(crate::catalogue::Code::PdfiumMissing, file_name))
}
