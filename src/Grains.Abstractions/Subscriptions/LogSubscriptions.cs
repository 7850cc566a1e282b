using System.Reflection;
using Granary.Abstractions.Clients;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Metadata;
using Orleans.Runtime;

namespace Granary.Abstractions.Subscriptions;

/// <summary>A class of grains and one of its subscriptions.</summary>
internal sealed record SubscriberClass(Type Class, LogSubscriptionAttribute Subscription);

/// <summary>
/// Runs one <see cref="SubscriptionPump"/> for each subscription that was registered, from when all of the host has started until before any of it stops: a
/// subscription commits and leaves its group by grain calls, which nobody would answer once Orleans has stopped, in whatever order the two were registered.
/// </summary>
internal sealed class LogSubscriptions(
    IEnumerable<SubscriberClass> subscribers,
    IGrainFactory grains,
    GrainTypeResolver types,
    LogConsumers consumers,
    IOptions<LogSubscriptionOptions> options,
    ILogger<LogSubscriptions> logger) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(subscribers.Select(PumpOf).ToArray().Select(pump => Task.Run(() => pump.RunAsync(_stopping.Token), CancellationToken.None)));
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_running.IsCompleted)
            SubscriptionDiagnostics.CutOff(logger);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _stopping.Dispose();

    private SubscriptionPump PumpOf(SubscriberClass subscriber)
    {
        var type = types.GetGrainType(subscriber.Class);
        return new SubscriptionPump(
            subscriber,
            options.Value,
            (key, records) => grains.GetGrain<ILogSubscriber>(GrainId.Create(type, key)).OnRecordsAsync(records),
            consumers,
            TimeProvider.System,
            logger);
    }
}

public static class GranarySubscriptionRegistration
{
    /// <summary>
    /// Brings the records of topics to the grain classes of these assemblies that have a <see cref="LogSubscriptionAttribute"/>. Needs
    /// <see cref="GranaryClientRegistration.AddGranaryClient"/> and Orleans in the same services: a silo that hosts the grains, or a client of one. Every process that
    /// registers them is one member of each group, and gets its share of the partitions. Throws <see cref="InvalidOperationException"/> where an attribute is wrong.
    /// </summary>
    public static IServiceCollection AddGranarySubscriptions(this IServiceCollection services, params Assembly[] assemblies) =>
        services.AddGranarySubscriptions(static _ => { }, assemblies);

    /// <summary>As <see cref="AddGranarySubscriptions(IServiceCollection, Assembly[])"/>, with limits other than the default ones.</summary>
    public static IServiceCollection AddGranarySubscriptions(this IServiceCollection services, Action<LogSubscriptionOptions> configure, params Assembly[] assemblies)
    {
        services.AddOptions<LogSubscriptionOptions>().Configure(configure).PostConfigure(static options => options.Validate());
        foreach (var type in assemblies.Distinct().SelectMany(assembly => assembly.GetTypes()))
        {
            foreach (var subscription in type.GetCustomAttributes<LogSubscriptionAttribute>())
            {
                if (type.IsAbstract || !type.IsAssignableTo(typeof(ILogSubscriber)))
                    throw new InvalidOperationException($"[LogSubscription] of {type.FullName}: it must be a grain class that implements {nameof(ILogSubscriber)}");
                subscription.Validate(type);
                services.AddSingleton(new SubscriberClass(type, subscription));
            }
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, LogSubscriptions>());
        return services;
    }
}
