using Orleans.Runtime;

namespace Granary.Gateway.Edge;

/// <summary>
/// Gives up the calls that were on their way when a silo was lost. An Orleans client is not told that the silo is gone that a call lies on, or
/// that passed it on; it would wait for its answer until the response timeout, half a minute, and everything that the same Kafka connection asked
/// for later with it. Which call lies where is not known either, so all get <see cref="Grace"/> to be answered, which those on living
/// silos are. What is given up fails as if its silo had said so: the client asks again. Safe for many threads.
/// </summary>
internal sealed class CallsInFlight(TimeProvider time) : IOutgoingGrainCallFilter
{
    /// <summary>Ends the calls made between two losses; without timers, so that there is nothing to dispose of.</summary>
    private CancellationTokenSource _current = new();

    /// <summary>Long enough for an append on a living silo, short against what clients wait for.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromMilliseconds(100);

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        var generation = Volatile.Read(ref _current).Token;
        // The call leaves here, before the first wait: callers rely on the order in which they make their calls.
        var call = context.Invoke();
        try
        {
            await call.WaitAsync(generation);
        }
        catch (OperationCanceledException) when (generation.IsCancellationRequested && !call.IsCompleted)
        {
            _ = call.ContinueWith(static late => late.Exception, TaskContinuationOptions.OnlyOnFaulted);
            throw new SiloUnavailableException("A silo was lost while the call was on its way; whether it was served is not known.");
        }
    }

    /// <summary>A silo is gone: whatever was asked until now is answered soon, or given up.</summary>
    public async Task SiloLostAsync()
    {
        var generation = Interlocked.Exchange(ref _current, new CancellationTokenSource());
        await Task.Delay(Grace, time);
        await generation.CancelAsync();
    }
}
