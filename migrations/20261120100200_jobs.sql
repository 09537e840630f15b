-- The durable job queue.
--
-- Jobs of one key run one at a time and in the order they were enqueued, also across retries: an answer must not
-- overtake the answer before it. No kept queue library gives that on this database, hence our own.

CREATE TABLE jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    queue        text NOT NULL,
    key          text NOT NULL,
    dedupe       text,
    payload      jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead', 'cancelled')),
    attempts     integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL DEFAULT 5 CHECK (max_attempts > 0),
    run_at       timestamptz NOT NULL DEFAULT now(),
    leased_by    uuid,
    lease_until  timestamptz,
    error        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    -- false from the moment a job dies until whoever waits for it was told
    told         boolean NOT NULL DEFAULT true
);
-- While a job waits, a second one of the same dedupe key is the same job.
CREATE UNIQUE INDEX jobs_dedupe ON jobs (tenant_id, queue, dedupe) WHERE state = 'queued' AND dedupe IS NOT NULL;
-- Two workers can never hold one key, whatever they read.
CREATE UNIQUE INDEX jobs_one_running ON jobs (tenant_id, queue, key) WHERE state = 'running';
CREATE INDEX jobs_open ON jobs (queue, run_at, id) WHERE state = 'queued';
CREATE INDEX jobs_key ON jobs (tenant_id, queue, key, id) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_untold ON jobs (id) WHERE NOT told;
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
CALL plumbline_protect('jobs', true);

CREATE FUNCTION jobs_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('plumbline_jobs', NEW.queue);
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_notify AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION jobs_notify();
