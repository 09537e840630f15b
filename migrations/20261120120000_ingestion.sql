-- What an admin needs to trust ingestion: builds that go on where they stopped, versions that share an unchanged text,
-- overlays that survive a new upload, uploads that can be repeated safely, and pages that hear of every step.

ALTER TABLE document_versions
    ADD COLUMN stage_started_at timestamptz,
    -- Structure of the canonical text (blocks, format, rows): written with the text when extraction ends, so that a
    -- build that was killed afterwards does not read the file again. json, not jsonb: it is only ever read whole.
    ADD COLUMN outline          json,
    -- sha256 over text and structure: equal contents are equal for search, whatever the bytes of the file are.
    ADD COLUMN content_sha256   bytea,
    -- sha256 over what else decides the chunks: chunking settings and embedding model.
    ADD COLUMN recipe_sha256    bytea,
    -- The version whose chunks stand for this one's, because the text did not change.
    ADD COLUMN same_text_as     uuid REFERENCES document_versions;

-- Vectors of a version that is being embedded, saved batch by batch; gone when the version has ended.
CREATE TABLE embedded_windows (
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    version_id uuid NOT NULL REFERENCES document_versions ON DELETE CASCADE,
    space_id   integer NOT NULL REFERENCES embedding_spaces,
    hash       bytea NOT NULL,
    embedding  halfvec NOT NULL,
    PRIMARY KEY (version_id, space_id, hash)
);
CALL plumbline_protect('embedded_windows', false);

-- What an admin laid over a document by hand. An overlay belongs to the document, not to a version: it remembers the
-- passage it was made for, and every version that is built or published finds that passage again or says that it cannot.
CREATE TABLE overlays (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    document_id     uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    kind            text NOT NULL CHECK (kind IN ('disable', 'pin', 'boost', 'edit', 'question')),
    anchor_hash     bytea NOT NULL,
    anchor_text     text NOT NULL,
    anchor_headings text[] NOT NULL DEFAULT '{}',
    anchor_ordinal  integer NOT NULL,
    -- edit: the text in its place; question: the question
    body            text CHECK ((kind IN ('edit', 'question')) = (body IS NOT NULL)),
    factor          real CHECK ((kind = 'boost') = (factor IS NOT NULL) AND factor > 0 AND factor <= 10),
    created_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    removed_at      timestamptz
);
CREATE INDEX overlays_document ON overlays (tenant_id, document_id) WHERE removed_at IS NULL;
CALL plumbline_protect('overlays', false);
-- Counts the changes of a document's overlays: a build notices that they changed while it ran.
ALTER TABLE documents ADD COLUMN overlay_revision bigint NOT NULL DEFAULT 0;

-- Where an overlay came to lie in a version; without a chunk it is a conflict that a person has to look at.
CREATE TABLE overlay_places (
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    overlay_id uuid NOT NULL REFERENCES overlays ON DELETE CASCADE,
    version_id uuid NOT NULL REFERENCES document_versions ON DELETE CASCADE,
    chunk_id   uuid REFERENCES chunks ON DELETE CASCADE,
    similarity real NOT NULL,
    note       text NOT NULL DEFAULT '',
    PRIMARY KEY (overlay_id, version_id)
);
CREATE INDEX overlay_places_chunk ON overlay_places (tenant_id, chunk_id);
CALL plumbline_protect('overlay_places', false);

-- The effect of the overlays on search, kept on the chunk so that both legs read it without another join.
ALTER TABLE chunks
    ADD COLUMN disabled  boolean NOT NULL DEFAULT false,
    ADD COLUMN pinned    boolean NOT NULL DEFAULT false,
    ADD COLUMN boost     real NOT NULL DEFAULT 1,
    ADD COLUMN questions text[] NOT NULL DEFAULT '{}';
CREATE INDEX chunks_disabled ON chunks (tenant_id, id) WHERE disabled;
-- A question that a chunk answers is one more window of it.
ALTER TABLE windows ADD COLUMN overlay_id uuid REFERENCES overlays ON DELETE CASCADE;
CREATE INDEX windows_overlay ON windows (overlay_id) WHERE overlay_id IS NOT NULL;

-- Requests that may be sent again: the same key with the same request gets the same answer.
CREATE TABLE idempotency_keys (
    tenant_id   uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    response    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CALL plumbline_protect('idempotency_keys', true);

-- Pages follow a version live, whichever process builds it.
CREATE FUNCTION document_versions_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plumbline_versions', NEW.tenant_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER document_versions_notify AFTER INSERT OR UPDATE OF state, stage_done, stage_total ON document_versions
    FOR EACH ROW EXECUTE FUNCTION document_versions_notify();
