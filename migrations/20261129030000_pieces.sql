-- Late interaction: what a passage says word piece by word piece, beside the vector of the whole of it.
--
-- A sign per dimension and piece, see models/src/pieces.rs: some 3 KB per chunk. They stand with the window that holds the
-- whole chunk, or with all windows of a chunk that the model cannot read at once, in the space of the installation's own
-- model. Kept out of line and as they are (signs do not compress), they cost a scan of the vectors nothing.
ALTER TABLE windows ADD COLUMN pieces bytea;
ALTER TABLE windows ALTER COLUMN pieces SET STORAGE EXTERNAL;
ALTER TABLE embedded_windows ADD COLUMN pieces bytea;
ALTER TABLE embedded_windows ALTER COLUMN pieces SET STORAGE EXTERNAL;
