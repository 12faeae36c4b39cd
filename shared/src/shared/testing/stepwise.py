"""Work of a worker that ends when nothing is due, in place of its endless `run`."""

from shared.worker import Worker


async def drain(worker: Worker) -> None:
    """Process until nothing is due."""
    while await worker.process_batch():
        pass
