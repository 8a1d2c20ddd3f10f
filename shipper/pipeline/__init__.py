"""From a project and a target to a live release: `plan` computes the steps, `ship` and `rollback` run them."""
