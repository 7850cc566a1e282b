using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Clients;

/// <summary>How long to pause before a retry: doubling, with a fifth of chance in it, so that clients do not come back in step.</summary>
internal readonly record struct Backoff(TimeSpan First, TimeSpan Longest)
{
    /// <param name="attempts">Attempts that failed, 1 or more.</param>
    public TimeSpan After(int attempts)
    {
        var backoff = First * Math.Pow(2, Math.Min(attempts - 1, 20)) * (0.8 + (0.4 * Random.Shared.NextDouble()));
        return backoff < Longest ? backoff : Longest;
    }
}

/// <summary>
/// Makes one caller's calls again and again while they fail: until they do not, until <paramref name="giveUpAfter"/>, or until stopped.
/// </summary>
/// <param name="subject">What the calls are about, for people.</param>
/// <param name="backoff">Pauses between attempts.</param>
/// <param name="clock">Time since the first call.</param>
/// <param name="giveUpAfter">How long to try; null: for ever.</param>
/// <param name="logger">Hears of each failure.</param>
/// <param name="stopping">Ends everything with <see cref="OperationCanceledException"/>.</param>
internal sealed class Retries(
    string subject,
    Backoff backoff,
    ClientClock clock,
    TimeSpan? giveUpAfter,
    ILogger logger,
    CancellationToken stopping)
{
    private readonly TimeSpan? _deadline = clock.Now + giveUpAfter;
    private int _failures;

    /// <summary>The call's answer. An exception from it counts as a failure of the call, not as an answer.</summary>
    /// <param name="call">Makes the call.</param>
    /// <param name="within">How long one call may take; null: as long as Orleans lets it.</param>
    public async Task<T> AskAsync<T>(Func<Task<T>> call, TimeSpan? within = null)
    {
        while (true)
        {
            stopping.ThrowIfCancellationRequested();
            try
            {
                return await BoundAsync(call(), within);
            }
            catch (Exception failed) when (!stopping.IsCancellationRequested)
            {
                await PauseAsync(ErrorCode.NetworkException, failed.Message, failed);
            }
        }
    }

    /// <summary>As the other, for a call without an answer.</summary>
    public Task AskAsync(Func<Task> call, TimeSpan? within = null) => AskAsync(
        async () =>
        {
            await call();
            return true;
        },
        within);

    /// <summary>Pauses because of an error that may pass; throws <see cref="LogException"/> where time is up or it will not.</summary>
    public Task EndureAsync(ErrorCode error, string? message) => DeliveryVerdicts.IsRetriable(error)
        ? PauseAsync(error, message ?? error.ToString(), null)
        : throw new LogException(error, $"{subject}: {message ?? error.ToString()}");

    /// <summary>Says that all is well again: the next pause is a short one.</summary>
    public void Reset() => _failures = 0;

    private async Task PauseAsync(ErrorCode error, string reason, Exception? failure)
    {
        _failures++;
        if (_deadline <= clock.Now)
            throw new LogException(error, $"{subject}: given up after {giveUpAfter} and {_failures} attempts: {reason}", failure);
        ClientDiagnostics.Retried(logger, subject, _failures, reason, failure);
        await Task.Delay(backoff.After(_failures), clock.Provider, stopping);
    }

    private Task<T> BoundAsync<T>(Task<T> answer, TimeSpan? within)
    {
        var left = _deadline - clock.Now;
        var bound = left < within ? left : within ?? left;
        if (bound is not { } time)
            return answer.WaitAsync(stopping);
        return answer.WaitAsync(time > TimeSpan.Zero ? time : TimeSpan.Zero, clock.Provider, stopping);
    }
}
