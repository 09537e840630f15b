-- From a webhook to a delivered reply.
--
-- The webhook stores the raw body and its elements before it answers 200; everything after that is a job that can be
-- repeated. An element belongs to at most one turn, a turn has at most one answer, and an outbox part is sent under a
-- key that comes back in its status: together that is "exactly one reply".

-- Which tenant a WhatsApp number belongs to.
CREATE TABLE channels (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone_number_id text NOT NULL CONSTRAINT channels_number_unique UNIQUE,
    display_number  text NOT NULL DEFAULT '',
    parked_reason   text,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CALL plumbline_protect('channels', true);

-- Raw bodies exactly as signed. tenant_id is null where no channel of ours is named: kept, for a person to look at.
CREATE TABLE inbound_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    body        bytea NOT NULL,
    problem     text
);
ALTER TABLE inbound_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound_events FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON inbound_events USING (plumbline_system()) WITH CHECK (plumbline_system());
GRANT SELECT, INSERT, UPDATE, DELETE ON inbound_events TO plumbline_app;

CREATE TABLE contacts (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name       text NOT NULL DEFAULT '',
    language   text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CALL plumbline_protect('contacts', false);

-- A person is known by a phone number, a business-scoped user id, or both; numbers change, the contact stays.
CREATE TABLE contact_aliases (
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('phone', 'user_id', 'parent_user_id')),
    value      text NOT NULL,
    contact_id uuid NOT NULL REFERENCES contacts ON DELETE CASCADE,
    PRIMARY KEY (tenant_id, kind, value)
);
CREATE INDEX contact_aliases_contact ON contact_aliases (contact_id);
CALL plumbline_protect('contact_aliases', false);

CREATE TABLE conversations (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    channel_id      uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
    contact_id      uuid NOT NULL REFERENCES contacts ON DELETE CASCADE,
    owner           text NOT NULL DEFAULT 'bot' CHECK (owner IN ('bot', 'human')),
    owner_since     timestamptz NOT NULL DEFAULT now(),
    epoch           bigint NOT NULL DEFAULT 0,
    language        text,
    last_inbound_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT conversations_contact_unique UNIQUE (channel_id, contact_id)
);
CALL plumbline_protect('conversations', false);

CREATE TABLE turns (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    job_id          bigint NOT NULL CONSTRAINT turns_job_unique UNIQUE,
    seq             bigint GENERATED ALWAYS AS IDENTITY,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX turns_conversation ON turns (conversation_id, seq);
CALL plumbline_protect('turns', false);

-- One row per message, status, error or unknown thing in a webhook body.
CREATE TABLE inbound_elements (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    event_id        bigint NOT NULL REFERENCES inbound_events,
    channel_id      uuid NOT NULL REFERENCES channels ON DELETE CASCADE,
    kind            text NOT NULL CHECK (kind IN ('message', 'status', 'echo', 'error', 'opaque')),
    external_id     text NOT NULL,
    sender          text,
    payload         jsonb NOT NULL,
    contact         jsonb,
    occurred_at     timestamptz,
    received_at     timestamptz NOT NULL DEFAULT now(),
    conversation_id uuid REFERENCES conversations ON DELETE CASCADE,
    turn_id         uuid REFERENCES turns ON DELETE CASCADE,
    -- the platform delivers at least once and re-batches: identity is the element's, never the body's
    CONSTRAINT inbound_elements_once UNIQUE (channel_id, kind, external_id)
);
CREATE INDEX inbound_elements_pending ON inbound_elements (channel_id, sender, id)
    WHERE kind = 'message' AND turn_id IS NULL;
CREATE INDEX inbound_elements_turn ON inbound_elements (turn_id);
CREATE INDEX inbound_elements_conversation ON inbound_elements (conversation_id, id);
CALL plumbline_protect('inbound_elements', false);

CREATE TABLE answers (
    id               uuid PRIMARY KEY,
    tenant_id        uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    conversation_id  uuid REFERENCES conversations ON DELETE CASCADE,
    turn_id          uuid CONSTRAINT answers_turn_unique UNIQUE REFERENCES turns ON DELETE CASCADE,
    question         text NOT NULL,
    outcome          text NOT NULL CHECK (outcome IN ('answered', 'abstained', 'handed_off')),
    route            text NOT NULL,
    reason           text,
    text             text NOT NULL,
    confidence       real NOT NULL,
    record           jsonb NOT NULL,
    settings_version bigint NOT NULL,
    model            text NOT NULL,
    input_tokens     bigint NOT NULL DEFAULT 0,
    output_tokens    bigint NOT NULL DEFAULT 0,
    total_ms         double precision NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX answers_conversation ON answers (conversation_id, created_at);
CREATE INDEX answers_created ON answers (tenant_id, created_at DESC);
CALL plumbline_protect('answers', false);

CREATE TABLE answer_citations (
    answer_id   uuid NOT NULL REFERENCES answers ON DELETE CASCADE,
    tenant_id   uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    version_id  uuid NOT NULL REFERENCES document_versions ON DELETE CASCADE,
    chunk_id    uuid NOT NULL,
    text_start  bigint NOT NULL,
    text_end    bigint NOT NULL,
    page        integer,
    row         bigint,
    PRIMARY KEY (answer_id, ordinal)
);
CALL plumbline_protect('answer_citations', false);

CREATE TABLE outbox (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    answer_id       uuid REFERENCES answers ON DELETE CASCADE,
    ordinal         integer NOT NULL,
    epoch           bigint NOT NULL,
    body            text NOT NULL,
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN
        ('queued', 'sending', 'sent', 'failed', 'cancelled', 'parked')),
    attempts        integer NOT NULL DEFAULT 0,
    first_attempt_at timestamptz,
    last_attempt_at timestamptz,
    wamid           text,
    status          text CHECK (status IN ('sent', 'delivered', 'read', 'played', 'failed')),
    status_at       timestamptz,
    error_code      integer,
    error           text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    CONSTRAINT outbox_part_unique UNIQUE (answer_id, ordinal)
);
CREATE INDEX outbox_conversation ON outbox (conversation_id, created_at, ordinal);
CREATE INDEX outbox_wamid ON outbox (tenant_id, wamid);
CALL plumbline_protect('outbox', false);
