"""Several machines rehearsed on this one: Postgres, RabbitMQ, workers that are killed."""
