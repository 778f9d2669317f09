# Shortcuts for schema migrations; DATABASE_URL or the configuration names the database.
.PHONY: migrate-up migrate-down migrate-create migrate-status migrate-version migrate-reset \
	migrate-refresh migrate-program

migrate-up: migrate-program ## run pending migrations
	@$(BUILD)/kedge migrate up

migrate-down: migrate-program ## roll back the latest migration
	@$(BUILD)/kedge migrate down

# As it was typed, whatever is in it: neither make nor the shell reads the name.
migrate-create: export override name := $(value name)
migrate-create: migrate-program ## write a new migration: name="description"
	@$(BUILD)/kedge migrate create --name="$$name"

migrate-status: migrate-program ## show migration status
	@$(BUILD)/kedge migrate status

migrate-version: migrate-program ## show the current version
	@$(BUILD)/kedge migrate version

migrate-reset: migrate-program ## roll back all migrations (asks first)
	@$(BUILD)/kedge migrate reset

migrate-refresh: migrate-program ## roll back all migrations and run them again (asks first)
	@$(BUILD)/kedge migrate refresh

# The program alone, without the tests; standard output is for what it says.
migrate-program: $(BUILD)/build.ninja
	@ninja -j $(JOBS) -C $(BUILD) kedge >&2
