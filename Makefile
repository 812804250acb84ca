# One-line aliases of ./openbell, which sets up what it needs. Arguments: make up ARGS="--scale signals=3"
.PHONY: demo test up down status bench faults lint types

demo test up down status bench faults lint types:
	@./openbell $@ $(ARGS)
