-- The embedding models that a tenant uses, used or is about to use beside the installation's own.
--
-- Which model answers is a setting (`retrieval.model`), so that a switch is one row and a rollback another. This table
-- says whose vectors are kept: every upload is embedded into the installation's own space and into those of the models
-- listed here that are wanted or were served, until they are removed.

CREATE TABLE tenant_models (
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    model         text NOT NULL CHECK (model <> ''),
    -- none until a worker that has the model began with it
    space_id      integer REFERENCES embedding_spaces,
    -- a switch to it is under way: its vectors are being made, or the eval judges it
    wanted        boolean NOT NULL DEFAULT false,
    -- whether the switch waits for the verdict that `publishing.gated` asks for; a rollback does not
    judged        boolean NOT NULL DEFAULT true,
    -- it was in force once: what a rollback goes back to
    served        boolean NOT NULL DEFAULT false,
    windows_done  bigint NOT NULL DEFAULT 0,
    windows_total bigint NOT NULL DEFAULT 0,
    problem       text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    -- since when it is neither in force nor wanted
    idle_since    timestamptz,
    PRIMARY KEY (tenant_id, model)
);
-- A second switch takes the place of the first.
CREATE UNIQUE INDEX tenant_models_one_switch ON tenant_models (tenant_id) WHERE wanted;
CALL plumbline_protect('tenant_models', false);
