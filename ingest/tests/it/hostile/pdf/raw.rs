//! PDF files written by hand, because libraries refuse to write what must be refused.

/// What a plain page shows.
pub(in crate::hostile) const NINE: &str =
    "BT /F1 12 Tf 72 700 Td (Shops open at nine and close at five.) Tj ET";
const FONT: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

/// A document of one page with objects 1 catalog, 2 page tree, 3 page, 4 content, 5 font; what is
/// added is numbered from 6.
pub(in crate::hostile) struct Raw {
    /// Further entries of the catalog.
    pub(in crate::hostile) catalog: String,
    /// The page tree's entries.
    pub(in crate::hostile) tree: String,
    /// Further entries of the page.
    pub(in crate::hostile) page: String,
    /// Further resources of the page.
    pub(in crate::hostile) resources: String,
    /// Further fonts of the page.
    pub(in crate::hostile) fonts: String,
    /// The content stream with its dictionary.
    pub(in crate::hostile) content: Vec<u8>,
    pub(in crate::hostile) font: String,
    pub(in crate::hostile) more: Vec<Vec<u8>>,
    /// Further entries of the trailer.
    pub(in crate::hostile) trailer: String,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            catalog: String::new(),
            tree: "/Kids [3 0 R] /Count 1".to_owned(),
            page: "/MediaBox [0 0 595 842]".to_owned(),
            resources: String::new(),
            fonts: String::new(),
            content: stream("", NINE.as_bytes()),
            font: FONT.to_owned(),
            more: Vec::new(),
            trailer: String::new(),
        }
    }
}

impl Raw {
    pub(in crate::hostile) fn with_content(content: impl AsRef<[u8]>) -> Self {
        Self {
            content: stream("", content.as_ref()),
            ..Self::default()
        }
    }

    pub(in crate::hostile) fn with_page(entries: &str) -> Self {
        Self {
            page: entries.to_owned(),
            ..Self::default()
        }
    }

    pub(in crate::hostile) fn with_tree(entries: &str, more: &[&str]) -> Self {
        let more = more.iter().map(|object| object.as_bytes().to_vec()).collect();
        Self {
            tree: entries.to_owned(),
            more,
            ..Self::default()
        }
    }

    pub(in crate::hostile) fn with_catalog(entries: &str, more: &[&str]) -> Self {
        let more = more.iter().map(|object| object.as_bytes().to_vec()).collect();
        Self {
            catalog: entries.to_owned(),
            more,
            ..Self::default()
        }
    }

    fn objects(&self) -> Vec<Vec<u8>> {
        let page = format!(
            "<< /Type /Page /Parent 2 0 R {} /Contents 4 0 R /Resources << /Font << /F1 5 0 R {} >> {} >> >>",
            self.page, self.fonts, self.resources
        );
        let mut objects = vec![
            format!("<< /Type /Catalog /Pages 2 0 R {} >>", self.catalog).into_bytes(),
            format!("<< /Type /Pages {} >>", self.tree).into_bytes(),
            page.into_bytes(),
            self.content.clone(),
            self.font.clone().into_bytes(),
        ];
        objects.extend(self.more.iter().cloned());
        objects
    }

    /// The file without its cross-reference table, and where each object begins.
    pub(in crate::hostile) fn body(&self) -> (Vec<u8>, Vec<usize>) {
        let mut out = b"%PDF-1.7\n".to_vec();
        let mut offsets = Vec::new();
        for (index, object) in self.objects().iter().enumerate() {
            offsets.push(out.len());
            out.extend(format!("{} 0 obj\n", index + 1).bytes());
            out.extend(object);
            out.extend(b"\nendobj\n");
        }
        (out, offsets)
    }

    pub(in crate::hostile) fn build(&self) -> Vec<u8> {
        let (mut out, offsets) = self.body();
        let start = out.len();
        out.extend(table(&offsets, &self.trailer));
        out.extend(format!("startxref\n{start}\n%%EOF\n").bytes());
        out
    }
}

/// A cross-reference table with its trailer.
pub(in crate::hostile) fn table(offsets: &[usize], trailer: &str) -> Vec<u8> {
    let size = offsets.len() + 1;
    let mut out = format!("xref\n0 {size}\n0000000000 65535 f \n");
    for offset in offsets {
        out.push_str(&format!("{offset:010} 00000 n \n"));
    }
    out.push_str(&format!("trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n"));
    out.into_bytes()
}

/// A stream that tells its length truly.
pub(in crate::hostile) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    lying_stream(entries, &data.len().to_string(), data)
}

pub(in crate::hostile) fn lying_stream(entries: &str, length: &str, data: &[u8]) -> Vec<u8> {
    let mut out = format!("<< {entries} /Length {length} >>\nstream\n").into_bytes();
    out.extend(data);
    out.extend(b"\nendstream");
    out
}
