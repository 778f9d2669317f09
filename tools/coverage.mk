coverage: ## what the tests reach of src; COVERAGE="--html --system" for more
	@tools/install-packages build test
	@tools/coverage $(COVERAGE)
