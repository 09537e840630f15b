-- What would grow for ever is forgotten after a time: raw webhook bodies (their elements stay, they are the history of
-- the conversations) and the chunks of deleted documents (their text stays, answers cite it).
ALTER TABLE inbound_elements ALTER COLUMN event_id DROP NOT NULL;
ALTER TABLE inbound_elements DROP CONSTRAINT inbound_elements_event_id_fkey;
ALTER TABLE inbound_elements ADD CONSTRAINT inbound_elements_event_id_fkey
    FOREIGN KEY (event_id) REFERENCES inbound_events ON DELETE SET NULL;
CREATE INDEX inbound_elements_event ON inbound_elements (event_id);
CREATE INDEX inbound_events_age ON inbound_events (received_at);
CREATE INDEX documents_deleted ON documents (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;
