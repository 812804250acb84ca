# Aliases of ./openbell, which sets up what it needs. Arguments: make up ARGS="--scale signals=3"
.PHONY: demo test up down status bench faults lint types

demo:
	@./openbell demo $(ARGS)
test:
	@./openbell test $(ARGS)
up:
	@./openbell up $(ARGS)
down:
	@./openbell down $(ARGS)
status:
	@./openbell status $(ARGS)
bench:
	@./openbell bench $(ARGS)
faults:
	@./openbell faults $(ARGS)
lint:
	@./openbell lint $(ARGS)
types:
	@./openbell types $(ARGS)
