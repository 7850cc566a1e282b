using System.Collections.Concurrent;
using Granary.Abstractions.Idempotency;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>Idempotency keys in memory: what each was claimed for first, and the answer that was kept.</summary>
internal sealed class FakeKeys : IIdempotencyGrain
{
    private const long FirstProducerId = 9_000;

    private readonly ConcurrentDictionary<string, IdempotencyClaimed> _claimed = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<byte[]>> _answers = new();

    /// <summary>The answer to the request with that key, when it is kept.</summary>
    public Task<byte[]> KeptAsync(string key) => AnswerOf(key).Task;

    public Task<IdempotencyClaimed> ClaimAsync(IdempotencyClaim claim)
    {
        var first = _claimed.GetOrAdd(claim.Key, _ => new IdempotencyClaimed(
            ErrorCode.None, IsSameRequest: true, FirstProducerId + _claimed.Count, Answer: null, claim.PartitionCount, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        var answer = AnswerOf(claim.Key).Task;
        return Task.FromResult(first with { Answer = answer.IsCompleted ? answer.Result : null });
    }

    public Task CompleteAsync(IdempotencyClaim claim, byte[] answer)
    {
        AnswerOf(claim.Key).TrySetResult(answer);
        return Task.CompletedTask;
    }

    private TaskCompletionSource<byte[]> AnswerOf(string key) =>
        _answers.GetOrAdd(key, static _ => new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously));
}
