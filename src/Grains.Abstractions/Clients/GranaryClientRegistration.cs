using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Granary.Abstractions.Clients;

/// <summary>Makes consumers; whoever opens one disposes it.</summary>
public sealed class LogConsumers(IGrainFactory grains, TopicDirectory topics, IOptions<LogConsumerOptions> options, ILoggerFactory? loggers = null)
{
    /// <param name="own">Limits for this one; null: the registered ones.</param>
    public LogConsumer Open(LogConsumerOptions? own = null) =>
        new(grains, own ?? options.Value, topics, time: null, (loggers ?? NullLoggerFactory.Instance).CreateLogger<LogConsumer>());
}

/// <summary>Sends what is left while the cluster can still be reached.</summary>
internal sealed class ProducerShutdown(LogProducer producer) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => producer.DisposeAsync().AsTask().WaitAsync(cancellationToken);
}

public static class GranaryClientRegistration
{
    /// <summary>
    /// Registers, each once for the process: <see cref="LogProducer"/>, <see cref="LogConsumers"/>, <see cref="LogAdmin"/> and
    /// <see cref="TopicDirectory"/>. Needs an Orleans client or silo in the same services (<c>UseOrleansClient</c>, <c>UseOrleans</c>): call
    /// this after that, and before adding hosted services that send, so that the host stops them in the order: yours, the producer
    /// (which sends what is left), Orleans. In a silo of a service, which has joined Granary's cluster, it also lets Granary's grains be placed from there.
    /// </summary>
    public static IServiceCollection AddGranaryClient(
        this IServiceCollection services,
        Action<LogProducerOptions>? producer = null,
        Action<LogConsumerOptions>? consumer = null)
    {
        services.AddOptions<LogProducerOptions>().Configure(options => producer?.Invoke(options));
        services.AddOptions<LogConsumerOptions>().Configure(options => consumer?.Invoke(options));
        services.TryAddSingleton(provider => new TopicDirectory(provider.GetRequiredService<IGrainFactory>()));
        services.TryAddSingleton(provider => new LogProducer(
            provider.GetRequiredService<IGrainFactory>(),
            provider.GetRequiredService<IOptions<LogProducerOptions>>().Value,
            provider.GetRequiredService<TopicDirectory>(),
            logger: provider.GetService<ILogger<LogProducer>>()));
        services.AddHostedService<ProducerShutdown>();
        services.TryAddSingleton<LogConsumers>();
        services.TryAddSingleton(provider => new LogAdmin(provider.GetRequiredService<IGrainFactory>()));
        services.AddGranaryPlacementOfSilo();
        return services;
    }
}
