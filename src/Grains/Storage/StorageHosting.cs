using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;

namespace Granary.Grains.Storage;

/// <summary>Composition of the store.</summary>
public static class StorageHosting
{
    /// <summary>
    /// Adds <see cref="IPartitionStore"/> on PostgreSQL. Call it before Orleans is added: hosted parts start in the order in which they
    /// are added, and partitions must not run before the tables are there. Connections come from <paramref name="source"/>; its strings are best
    /// tuned by <see cref="Tune"/>.
    /// </summary>
    public static IServiceCollection AddGranaryStorage(this IServiceCollection services, NpgsqlDataSource source)
    {
        services.AddOptions<StorageOptions>().Validate(options => !options.Validate().Any(), "the storage's options are out of range").ValidateOnStart();
        services.AddSingleton(provider => new PostgresPartitionStore(
            source,
            provider.GetRequiredService<IOptions<StorageOptions>>().Value,
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<SiloStanding>()));
        services.AddSingleton<IPartitionStore>(provider => provider.GetRequiredService<PostgresPartitionStore>());
        services.AddSingleton(provider => new PostgresGroupStore(
            source,
            provider.GetService<IOptions<ClusterOptions>>()?.Value.ClusterId ?? "",
            provider.GetRequiredService<IOptions<StorageOptions>>().Value,
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<SiloStanding>()));
        services.AddSingleton<IGroupStore>(provider => provider.GetRequiredService<PostgresGroupStore>());
        services.AddSingleton(provider => new IdempotencyKeys(
            source,
            provider.GetRequiredService<IOptions<StorageOptions>>().Value,
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        services.AddHostedService<StorageStarter>();
        return services;
    }

    /// <summary>Asks, before anything is changed, whether this version understands the database.</summary>
    /// <exception cref="NewerSchemaException">It does not.</exception>
    public static Task RefuseNewerAsync(NpgsqlDataSource source, CancellationToken cancellation) => LogSchema.RefuseNewerAsync(source, cancellation);

    /// <summary>
    /// A connection string with this store's needs: buffers that hold a whole row of a slab (with smaller ones each row costs an extra copy),
    /// no tracking of resets between uses, and a pool that is large enough for lanes, readers and everybody else.
    /// </summary>
    public static string Tune(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        builder.ReadBufferSize = Math.Max(builder.ReadBufferSize, 128 << 10);
        builder.WriteBufferSize = Math.Max(builder.WriteBufferSize, 64 << 10);
        return builder.ConnectionString;
    }
}
