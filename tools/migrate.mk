# Shortcuts for schema migrations; DATABASE_URL or the configuration names the database.
.PHONY: migrate-up migrate-down migrate-create migrate-status migrate-version migrate-reset migrate-refresh

migrate-up: all ## run pending migrations
	@$(BUILD)/kedge migrate up

migrate-down: all ## roll back the latest migration
	@$(BUILD)/kedge migrate down

migrate-create: all ## write a new migration: name="description"
	@$(BUILD)/kedge migrate create --name="$(name)"

migrate-status: all ## show migration status
	@$(BUILD)/kedge migrate status

migrate-version: all ## show the current version
	@$(BUILD)/kedge migrate version

migrate-reset: all ## roll back all migrations (asks first)
	@$(BUILD)/kedge migrate reset

migrate-refresh: all ## roll back all migrations and run them again (asks first)
	@$(BUILD)/kedge migrate refresh
