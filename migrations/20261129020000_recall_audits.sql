-- What the vector index of a large tenant finds of what a comparison of all vectors finds.
--
-- Above 20,000 windows a tenant's vectors are searched through an HNSW index, which is approximate: how much it misses
-- depends on the tenant's own texts and questions, and no figure of a benchmark says it. Once a day and after every build
-- of the index, recent questions are searched both ways, and a row here says how many of the nearest chunks the index
-- found. There is no text in it: /metrics reads it in system scope.

CREATE TABLE recall_audits (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    space_id   integer NOT NULL REFERENCES embedding_spaces,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- live windows when it was done
    windows    bigint NOT NULL,
    -- candidates that the index kept while it searched
    ef_search  integer NOT NULL,
    questions  integer NOT NULL CHECK (questions > 0),
    -- how many of the questions are sentences of documents, because customers had not asked enough
    sampled_from_documents integer NOT NULL CHECK (sampled_from_documents BETWEEN 0 AND questions),
    -- chunks that the comparison of all found, and how many of them the index found
    wanted     bigint NOT NULL CHECK (wanted > 0),
    found      bigint NOT NULL CHECK (found BETWEEN 0 AND wanted),
    -- share found of the question that fared worst
    worst      real NOT NULL CHECK (worst BETWEEN 0 AND 1)
);
CREATE INDEX recall_audits_newest ON recall_audits (tenant_id, space_id, created_at DESC);
CALL plumbline_protect('recall_audits', true);
