-- Questions of customers that may become golden cases once a person has labelled them. A draft outlives the
-- conversation it came from, so nothing in it may tell who asked: its texts are stored without names, numbers and
-- addresses, and the answer it came from is only a pointer that goes when the answer goes.

CREATE TABLE golden_drafts (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    answer_id    uuid REFERENCES answers ON DELETE SET NULL,
    question     text NOT NULL,
    -- the question as it was understood, without case, accents and punctuation: what makes two drafts the same
    question_key text NOT NULL,
    history      jsonb NOT NULL DEFAULT '[]',
    lang         text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('answerable', 'unanswerable', 'chitchat', 'handoff', 'out_of_scope')),
    reason       text NOT NULL CHECK (reason IN ('thumbs_down', 'handoff', 'abstained', 'low_confidence', 'chosen')),
    -- a dismissed or exported one stays, so that the same question does not come back
    state        text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'dismissed', 'exported')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT golden_drafts_question_unique UNIQUE (tenant_id, question_key)
);
CREATE INDEX golden_drafts_newest ON golden_drafts (tenant_id, state, created_at DESC);
CREATE INDEX golden_drafts_answer ON golden_drafts (answer_id);
CALL plumbline_protect('golden_drafts', false);
