using Granary.Abstractions;
using Granary.Abstractions.Idempotency;
using Granary.Abstractions.Partitions;
using Granary.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Granary.Grains.Idempotency;

/// <summary>
/// See <see cref="IIdempotencyGrain"/>. Nothing is kept in memory: PostgreSQL decides who is first, so it does not matter how many activations
/// there are. Persisted before it is answered: the key with its request's hash and its producer id.
/// </summary>
[StatelessWorker, Reentrant]
internal sealed class IdempotencyGrain(IdempotencyKeys keys, IOptions<IdempotencyOptions> options, TimeProvider time, ILogger<IdempotencyGrain> log) : Grain, IIdempotencyGrain
{
    public async Task<IdempotencyClaimed> ClaimAsync(IdempotencyClaim claim)
    {
        var producerId = await GrainFactory.GetGrain<IProducerIdGrain>(IProducerIdGrain.Key).NextAsync();
        try
        {
            var kept = await keys.ClaimAsync(claim.TopicId, claim.Key, claim.RequestHash, producerId, time.GetUtcNow() - options.Value.Window, CancellationToken.None);
            return new IdempotencyClaimed(ErrorCode.None, kept.RequestHash.AsSpan().SequenceEqual(claim.RequestHash), kept.ProducerId, kept.Answer);
        }
        catch (StoreUnavailableException unavailable)
        {
            log.LogWarning("An idempotency key could not be kept: {Reason}", unavailable.Message);
            return new IdempotencyClaimed(ErrorCode.CoordinatorNotAvailable, false, -1, null);
        }
    }

    public async Task CompleteAsync(IdempotencyClaim claim, byte[] answer)
    {
        try
        {
            await keys.CompleteAsync(claim.TopicId, claim.Key, claim.RequestHash, answer, CancellationToken.None);
        }
        catch (StoreUnavailableException unavailable)
        {
            log.LogWarning("The answer to an idempotent request could not be kept; a repetition is found by the log: {Reason}", unavailable.Message);
        }
    }
}
