-- Live pages and event streams ask again and again which versions are being built or have just ended: without these
-- that is a walk over every version a tenant ever had.
CREATE INDEX document_versions_under_way ON document_versions (tenant_id)
    WHERE state IN ('received', 'extracting', 'chunking', 'embedding', 'indexing');
CREATE INDEX document_versions_finished ON document_versions (tenant_id, finished_at);
