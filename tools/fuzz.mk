fuzz: ## run each fuzz target for FUZZ_SECONDS (20)
	@tools/install-packages build test
	@tools/fuzz --seconds $(or $(FUZZ_SECONDS),20)
