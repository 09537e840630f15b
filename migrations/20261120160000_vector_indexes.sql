-- An HNSW index per tenant that is large enough to need one, instead of one per model over everybody's vectors.
--
-- The common index made every upload of every tenant pay for the insertion of each vector (several times what the rest of
-- the indexing costs), though a tenant below some ten thousand vectors is compared exactly and never reads it. Which of a
-- tenant's vectors it found also depended on the other tenants' vectors. The program builds the indexes, see
-- store/src/vector_index.rs: they are named windows_hnsw_<space>_<tenant>.

DO $$
DECLARE
    space_index text;
BEGIN
    FOR space_index IN SELECT indexname FROM pg_indexes
                        WHERE schemaname = 'public' AND tablename = 'windows' AND indexname ~ '^windows_space_[0-9]+$'
    LOOP
        EXECUTE format('DROP INDEX %I', space_index);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ensure_embedding_space(model_name text, model_dimension integer) RETURNS integer
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
    RETURN space.id;
END $$;
