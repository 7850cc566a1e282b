namespace Granary.Silo.Postgres;

/// <summary>The embedded PostgreSQL cannot run; the message says why and what a person can do.</summary>
public sealed class PostgresStartException(string message) : Exception(message);
