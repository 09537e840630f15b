-- Documents, their versions, and what search reads: chunks, embedding windows, revisions.
--
-- A version is built beside the live one and becomes visible by one pointer, documents.live_version_id. Every search
-- joins through that pointer, so a half-built, replaced or deleted version cannot be found by any path.

CREATE TABLE documents (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    key             text NOT NULL CHECK (key <> ''),
    title           text NOT NULL,
    live_version_id uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz
);
-- A deleted document keeps its rows (answers cite them) but frees its key.
CREATE UNIQUE INDEX documents_key_unique ON documents (tenant_id, key) WHERE deleted_at IS NULL;
CREATE INDEX documents_live ON documents (tenant_id, live_version_id) WHERE deleted_at IS NULL;
CALL plumbline_protect('documents', false);

CREATE TABLE document_versions (
    id             uuid PRIMARY KEY,
    tenant_id      uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    document_id    uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    number         integer NOT NULL,
    file_name      text NOT NULL,
    media_type     text NOT NULL DEFAULT '',
    blob_sha256    bytea NOT NULL,
    blob_bytes     bigint NOT NULL,
    state          text NOT NULL DEFAULT 'received' CHECK (state IN
        ('received', 'extracting', 'chunking', 'embedding', 'indexing',
         'ready', 'ready_with_warnings', 'failed', 'cancelled')),
    stage_done     bigint NOT NULL DEFAULT 0,
    stage_total    bigint NOT NULL DEFAULT 0,
    reason_code    text,
    reason         text,
    suggestion     text,
    warnings       jsonb NOT NULL DEFAULT '[]',
    pages          jsonb NOT NULL DEFAULT '[]',
    canonical_text text,
    text_sha256    bytea,
    language       text,
    chunk_count    integer NOT NULL DEFAULT 0,
    windows_embedded integer NOT NULL DEFAULT 0,
    windows_reused   integer NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    published_at   timestamptz,
    CONSTRAINT document_versions_number_unique UNIQUE (document_id, number)
);
CREATE INDEX document_versions_document ON document_versions (tenant_id, document_id, number DESC);
CALL plumbline_protect('document_versions', false);
ALTER TABLE documents ADD CONSTRAINT documents_live_version
    FOREIGN KEY (live_version_id) REFERENCES document_versions DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE chunks (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    document_id  uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    version_id   uuid NOT NULL REFERENCES document_versions ON DELETE CASCADE,
    ordinal      integer NOT NULL,
    text_start   bigint NOT NULL,
    text_end     bigint NOT NULL,
    page_from    integer,
    page_to      integer,
    row_from     bigint,
    row_to       bigint,
    heading_path text[] NOT NULL DEFAULT '{}',
    body         text NOT NULL,
    tokens       integer NOT NULL,
    hash         bytea NOT NULL,
    CONSTRAINT chunks_ordinal_unique UNIQUE (version_id, ordinal)
);
CALL plumbline_protect('chunks', false);

-- One space per embedding model: vectors of different models never meet in one comparison.
CREATE TABLE embedding_spaces (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model      text NOT NULL UNIQUE,
    dimension  integer NOT NULL CHECK (dimension BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON embedding_spaces TO plumbline_app;

-- What is embedded is a window of a chunk (a few sentences): a chunk is as near to a question as its best window.
-- halfvec loses nothing measurable against vector here and is 43 % smaller.
CREATE TABLE windows (
    tenant_id   uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    version_id  uuid NOT NULL REFERENCES document_versions ON DELETE CASCADE,
    chunk_id    uuid NOT NULL REFERENCES chunks ON DELETE CASCADE,
    space_id    integer NOT NULL REFERENCES embedding_spaces,
    ordinal     integer NOT NULL,
    text_start  bigint NOT NULL,
    text_end    bigint NOT NULL,
    hash        bytea NOT NULL,
    embedding   halfvec NOT NULL,
    PRIMARY KEY (chunk_id, space_id, ordinal)
);
CREATE INDEX windows_version ON windows (tenant_id, version_id);
CREATE INDEX windows_hash ON windows (tenant_id, space_id, hash);
CALL plumbline_protect('windows', false);

-- Registers a model and gives its space an HNSW index of its dimension. Runs with the owner's rights because the
-- program's role may not create indexes.
CREATE FUNCTION ensure_embedding_space(model_name text, model_dimension integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    space embedding_spaces%ROWTYPE;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('embedding_spaces'));
    SELECT * INTO space FROM embedding_spaces WHERE model = model_name;
    IF FOUND THEN
        IF space.dimension <> model_dimension THEN
            RAISE EXCEPTION 'model % is registered with dimension %, not %', model_name, space.dimension, model_dimension
                USING ERRCODE = 'check_violation', CONSTRAINT = 'embedding_spaces_dimension';
        END IF;
        RETURN space.id;
    END IF;
    INSERT INTO embedding_spaces (model, dimension) VALUES (model_name, model_dimension) RETURNING * INTO space;
    EXECUTE format(
        'CREATE INDEX windows_space_%s ON windows USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops) WHERE space_id = %s',
        space.id, space.dimension, space.id);
    RETURN space.id;
END $$;
GRANT EXECUTE ON FUNCTION ensure_embedding_space TO plumbline_app;

-- The feed of the derived lexical indexes: "the live text of this document changed". Revisions are assigned under an
-- advisory lock held to the end of the transaction, so they become visible in order and a reader that has seen n has
-- missed nothing below n.
CREATE TABLE revisions (
    revision    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    document_id uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revisions_tenant ON revisions (tenant_id, revision);
CALL plumbline_protect('revisions', false);
