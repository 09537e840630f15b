-- Words by which an admin groups documents; a search can be limited to them. They belong to the document, not to a
-- version: what is filed under "returns" stays there when its file is uploaded again. The program keeps them lower case,
-- sorted and each once.
ALTER TABLE documents ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
