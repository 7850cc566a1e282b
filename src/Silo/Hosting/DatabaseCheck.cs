using Granary.Gateway.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Granary.Silo.Hosting;

/// <summary>A silo is ready only where PostgreSQL answers it.</summary>
internal static class DatabaseCheck
{
    public static IHealthChecksBuilder AddDatabaseCheck(this IHealthChecksBuilder checks, NpgsqlDataSource source) => checks.AddAsyncCheck(
        "postgresql",
        async cancellation =>
        {
            await using var command = source.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(cancellation);
            return HealthCheckResult.Healthy();
        },
        timeout: Health.Timeout);
}
