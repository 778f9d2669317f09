fuzz: ## run each fuzz target for FUZZ_SECONDS, or all of them for 150
	@tools/install-packages build test
	@tools/fuzz $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS))
