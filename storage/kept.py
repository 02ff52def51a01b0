"""What may be kept in memory of a table to which rows are only ever added."""

from weakref import WeakSet

from sqlalchemy import Connection, RootTransaction


class Touched:
    """The transactions that have written what others keep: what such a one sees may be rolled back, so none keeps it.

    Rows that were rolled back and rows written instead may have the same numbers, and be as many.
    """

    def __init__(self) -> None:
        # Not the connections: one serves many transactions, one after the other.
        self._transactions: WeakSet[RootTransaction] = WeakSet()

    def add(self, tx: Connection) -> None:
        """Notes that this transaction has written."""
        if transaction := tx.get_transaction():
            self._transactions.add(transaction)

    def by(self, tx: Connection) -> bool:
        """Whether this transaction has written."""
        return tx.get_transaction() in self._transactions
