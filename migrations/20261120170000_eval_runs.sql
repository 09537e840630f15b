-- Runs of the eval: those that decide whether a staged version or staged settings reach customers, and those that a
-- pipeline or a person recorded. The report is kept as the program printed it (its schema has a version of its own), so
-- that a verdict can be read and compared for as long as the tenant exists.

CREATE TABLE eval_runs (
    id               uuid PRIMARY KEY,
    tenant_id        uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    -- what waits for the verdict: one of the two, or neither for a run that is only recorded
    version_id       uuid REFERENCES document_versions ON DELETE CASCADE,
    settings_version bigint,
    state            text NOT NULL CHECK (state IN ('queued', 'running', 'passed', 'refused', 'broken')),
    exit_code        integer,
    cause            text NOT NULL DEFAULT '',
    report           jsonb,
    created_at       timestamptz NOT NULL DEFAULT now(),
    started_at       timestamptz,
    finished_at      timestamptz,
    CONSTRAINT eval_runs_one_subject CHECK (num_nonnulls(version_id, settings_version) <= 1),
    CONSTRAINT eval_runs_settings FOREIGN KEY (tenant_id, settings_version) REFERENCES settings (tenant_id, version)
);
CREATE INDEX eval_runs_newest ON eval_runs (tenant_id, created_at DESC);
CREATE INDEX eval_runs_version ON eval_runs (version_id, created_at DESC) WHERE version_id IS NOT NULL;
CALL plumbline_protect('eval_runs', false);
