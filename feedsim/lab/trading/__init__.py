"""What came of trading: trades, money, slippage and waiting, from an order log and the tape that it was made on."""
