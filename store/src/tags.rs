//! Tags of documents.

use uuid::Uuid;

use crate::{StoreError, TenantTx};

/// Most tags of one document.
const MOST: usize = 20;

/// Longest tag in characters.
const LONGEST: usize = 60;

/// Tags in the one form in which they are stored and compared: lower case, single spaces, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tags(Vec<String>);

impl Tags {
    /// Reads tags as people write them: each may be several, between commas; what is empty does not count.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn parse(written: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, String> {
        let mut tags = Vec::new();
        for text in written {
            for tag in text.as_ref().split(',') {
                let tag = tag
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .to_lowercase();
                if tag.chars().any(char::is_control) {
                    return Err(format!("the tag {tag:?} holds a control character; remove it"));
                }
                if tag.chars().count() > LONGEST {
                    return Err(format!("the tag {tag:?} is longer than {LONGEST} characters"));
                }
                if !tag.is_empty() {
                    tags.push(tag);
                }
            }
        }
        tags.sort();
        tags.dedup();
        if tags.len() > MOST {
            return Err(format!("{} tags are too many; {MOST} are allowed", tags.len()));
        }
        Ok(Self(tags))
    }

    /// The tags.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl From<Tags> for Vec<String> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

impl TenantTx {
    /// Gives documents these tags instead of those that they have; searches see them from the commit on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when one of the documents does not exist or was deleted.
    pub async fn set_tags(&mut self, documents: &[Uuid], tags: &Tags) -> Result<(), StoreError> {
        let changed = sqlx::query("UPDATE documents SET tags = $2 WHERE id = ANY($1) AND deleted_at IS NULL")
            .bind(documents)
            .bind(tags.as_slice())
            .execute(self.conn())
            .await?;
        if changed.rows_affected() < documents.len() as u64 {
            return Err(StoreError::NotFound { what: "document" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_compared_as_people_mean_them() {
        let tags = Tags::parse([" Returns ,  price  list", "RETURNS", "", ","]).unwrap();
        assert_eq!(tags.as_slice(), ["price list", "returns"]);
        assert_eq!(Tags::parse([""; 3]).unwrap(), Tags::default());
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert!(Tags::parse(&many).unwrap_err().contains("20 are allowed"));
        assert!(
            Tags::parse(["x".repeat(61)])
                .unwrap_err()
                .contains("60 characters")
        );
        assert!(Tags::parse(["a\0b"]).unwrap_err().contains("control character"));
    }

    proptest! {
        #[test]
        fn reading_tags_again_changes_nothing(written in prop::collection::vec("[a-zA-ZÀ-ÿ ,]{0,12}", 0..6)) {
            let tags = Tags::parse(&written).unwrap();
            prop_assert_eq!(&Tags::parse(tags.as_slice()).unwrap(), &tags);
            prop_assert_eq!(Tags::parse([tags.as_slice().join(",")]).unwrap(), tags);
        }
    }
}
