-- A list of runs shows a few figures of each. A report holds every case with its answer, some megabytes; what the list
-- needs is kept beside it, derived by the database so that it cannot say anything else.

ALTER TABLE eval_runs
    ADD COLUMN metrics jsonb GENERATED ALWAYS AS (report -> 'metrics') STORED,
    ADD COLUMN made_on jsonb GENERATED ALWAYS AS (report -> 'run') STORED;
