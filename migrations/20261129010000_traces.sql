-- What searches looked at: one row per question, from its analysis to the passages that were handed on.
--
-- A trace says why an answer was given and can be asked again. What was live when it was asked is named by the revision
-- of the documents, and kept beside the traces: versions are never changed, so a list of their ids is a whole index.

CREATE TABLE index_versions (
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    revision   bigint NOT NULL,
    -- the live version of every document
    versions   uuid[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, revision)
);
CALL plumbline_protect('index_versions', false);

CREATE TABLE traces (
    -- of an answer, the answer's own id
    id               uuid PRIMARY KEY,
    tenant_id        uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    source           text NOT NULL CHECK (source IN ('whatsapp', 'answer', 'search', 'playground', 'replay')),
    question         text NOT NULL,
    -- as it was searched, a follow-up completed
    query            text NOT NULL,
    -- none for a search that nothing was composed from
    outcome          text CHECK (outcome IN ('answered', 'abstained', 'handed_off')),
    settings_version bigint NOT NULL,
    -- none when nothing was searched, or when the documents changed before the list could be kept
    index_version    bigint,
    -- documents of the hits, best first
    document_keys    text[] NOT NULL,
    total_ms         double precision NOT NULL,
    record           jsonb NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, index_version) REFERENCES index_versions (tenant_id, revision)
);
CREATE INDEX traces_newest ON traces (tenant_id, created_at DESC, id DESC);
CREATE INDEX traces_index_version ON traces (tenant_id, index_version);
CALL plumbline_protect('traces', false);
