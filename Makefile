# Sparrow. `make run` starts a demo, `make test` runs all tests.

GO      ?= go
RELEASE ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/sparrow-edge/sparrow/pkg/app.release=$(RELEASE)
BIN     := bin/sparrow

export GOTOOLCHAIN = local

.PHONY: help run build slim test unit lint sdk browser compare bench bench-questions fuzz setup apidocs bots secretrules docker clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

run: build ## build, and run `sparrow dev`: nothing to configure
	$(BIN) dev

build: ## build bin/sparrow, with DuckDB (needs a C compiler)
	@scripts/need.sh go cc
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/sparrow

slim: ## build bin/sparrow-slim: CGO_ENABLED=0, without DuckDB, for the edge
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/sparrow-slim ./cmd/sparrow

test: setup lint sdk unit slim build browser ## everything: lint, units with -race, end to end, the SDK, Chromium

unit: bin/bigquery-emulator ## Go tests: units, conformance suites, house rules, end to end with the real binary
	$(GO) test -race -shuffle=on -timeout 20m ./...
	$(GO) test -run TestTrafficBeyondTheBound ./pkg/journal # under -race it uses less than a GiB, because a GiB is too slow there
	$(GO) test -run TestTheVendorRefusesNothingThatIsSent ./trackers/... # under -race fewer events, because 100,000 for each vendor are too slow there

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted (run gofmt -w):"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	cd tools && $(GO) build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...

sdk: ## the browser SDK: unit and type tests, size budget, check that the embedded file is current
	cd sdk-js && npm ci --no-audit --no-fund && npm test

browser: ## the SDK, the demo page and the API page in Chromium against the real binary
	cd sdk-js && SPARROW_BIN=$(CURDIR)/$(BIN) npm run test:browser

compare: ## compare the SDK with others: size and delivery; writes the README of sdk-js (ten minutes)
	@scripts/need.sh node npm chromium openssl
	cd sdk-js/compare && npm ci --no-audit --no-fund --ignore-scripts && node compare.mjs

bench: build ## compare intake with a bare handler, and run the Go benchmarks: ratios within one run
	$(GO) run ./test/bench -gateway $(BIN)
	$(GO) test -run '^$$' -bench . -benchmem ./pkg/... ./trackers/...

bench-questions: build ## questions over 10 million events, loaded through the real binary (EVENTS=1000000 for fewer)
	$(GO) run ./test/questions -gateway $(BIN) -events $(or $(EVENTS),10000000)

fuzz: ## every fuzz target for 30 seconds each
	scripts/fuzz.sh 30s

setup: ## install what the tests need (root on Debian), or say what is missing
	@scripts/need.sh go cc node npm chromium openssl
	@scripts/emulator.sh >/dev/null

bin/bigquery-emulator: tools/emulator/go.mod
	@scripts/emulator.sh >/dev/null

apidocs: ## copy Swagger UI, the page at /docs, out of the npm package that pkg/console/swagger-ui pins
	@scripts/need.sh npm
	scripts/apidocs.sh

bots: ## copy the list of bots out of the npm package that pkg/bot pins
	@scripts/need.sh node npm
	scripts/bots.sh

secretrules: ## copy the rules of API keys out of the gitleaks module that scripts/secretrules.sh pins
	@scripts/need.sh go
	scripts/secretrules.sh

docker: ## the container image (docker build --build-arg SLIM=1 for the slim one)
	docker build -t sparrow:$(RELEASE) --build-arg RELEASE=$(RELEASE) .

clean: ## remove what was built
	rm -rf bin sdk-js/dist sdk-js/node_modules
