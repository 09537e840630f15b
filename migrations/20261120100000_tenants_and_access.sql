-- Tenants, the people and programs that act for them, and the row-level security that keeps tenants apart.
--
-- The program connects as the owner of these tables and at once takes the role plumbline_app, which owns nothing and
-- therefore cannot step around the policies. Every transaction says for whom it works:
--   plumbline.tenant = <uuid>   one tenant's rows, the only way to reach content
--   plumbline.scope  = 'system' the routing tables alone (which tenant does this key, session, number or job belong to?)

CREATE EXTENSION IF NOT EXISTS vector;

DO $$
BEGIN
    CREATE ROLE plumbline_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles belong to the cluster: another database of it was here first
END $$;
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT plumbline_app TO %I', current_user);
    END IF;
END $$;

CREATE FUNCTION plumbline_tenant() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('plumbline.tenant', true), '')::uuid;
CREATE FUNCTION plumbline_system() RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(current_setting('plumbline.scope', true), '') = 'system';

-- Policies in one place: content belongs to its tenant; routing rows may also be read in system scope.
CREATE PROCEDURE plumbline_protect(target regclass, routing boolean) LANGUAGE plpgsql AS $$
DECLARE
    rule text := 'tenant_id = plumbline_tenant()';
BEGIN
    IF routing THEN
        rule := rule || ' OR plumbline_system()';
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY tenant ON %s USING (%s) WITH CHECK (%s)', target, rule, rule);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO plumbline_app', target);
END $$;

CREATE TABLE tenants (
    id         uuid PRIMARY KEY,
    slug       text NOT NULL CONSTRAINT tenants_slug_unique UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenants USING (id = plumbline_tenant() OR plumbline_system())
    WITH CHECK (plumbline_system());
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants TO plumbline_app;

-- Keys and sessions are stored as sha256 of a random secret: a leaked table opens nothing.
CREATE TABLE api_keys (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name       text NOT NULL,
    hash       bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CALL plumbline_protect('api_keys', true);

CREATE TABLE admins (
    id            uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    email         text NOT NULL CONSTRAINT admins_email_unique UNIQUE CHECK (email = lower(email)),
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CALL plumbline_protect('admins', true);

CREATE TABLE sessions (
    hash       bytea PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    admin_id   uuid NOT NULL REFERENCES admins ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CALL plumbline_protect('sessions', true);

-- Every version is kept; the live one is a pointer, so that a rollback writes no settings at all.
CREATE TABLE settings (
    tenant_id  uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    version    bigint NOT NULL,
    body       jsonb NOT NULL,
    note       text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, version)
);
CALL plumbline_protect('settings', false);

CREATE TABLE settings_live (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    version   bigint NOT NULL,
    FOREIGN KEY (tenant_id, version) REFERENCES settings (tenant_id, version) ON DELETE CASCADE
);
CALL plumbline_protect('settings_live', false);
