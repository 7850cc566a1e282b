using Npgsql;

namespace Granary.Grains.Storage;

/// <summary>What a failed flush means.</summary>
internal enum FlushFailureKind : byte
{
    /// <summary>Certainly rolled back.</summary>
    NotWritten,

    /// <summary>It may have been committed.</summary>
    Unknown,

    /// <summary>Certainly rolled back for a reason that lies in the moment (a deadlock, a slab that was just dropped): worth another try at once.</summary>
    Retry,
}

/// <summary>
/// Tells failures that certainly rolled back from those that may have committed. Before COMMIT was sent, everything rolls back: the
/// server ends the transaction of a connection that is lost. Once it was sent, only an answer of the server says so: an error of
/// severity ERROR. FATAL and PANIC end the session and can reach the client after the commit record was written, as can the answer to a
/// cancel request; a lost connection says nothing.
/// </summary>
internal static class FlushFailure
{
    public static FlushFailureKind Classify(Exception failure, bool commitWasSent)
    {
        var answer = failure as PostgresException ?? failure.InnerException as PostgresException;
        var rolledBack = !commitWasSent || IsRollback(answer);
        if (!rolledBack)
            return FlushFailureKind.Unknown;
        return IsOfTheMoment(answer) ? FlushFailureKind.Retry : FlushFailureKind.NotWritten;
    }

    private static bool IsRollback(PostgresException? answer) =>
        answer is { InvariantSeverity: "ERROR" }
        && answer.SqlState is not (PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.StatementCompletionUnknown)
        && !answer.SqlState.StartsWith("08", StringComparison.Ordinal);

    private static bool IsOfTheMoment(PostgresException? answer) =>
        answer is { InvariantSeverity: "ERROR" } && answer.SqlState is PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.UndefinedTable
            or PostgresErrorCodes.InvalidSqlStatementName;
}
