namespace Granary.Abstractions.Idempotency;

/// <summary>
/// Keeps what idempotency keys of callers without a producer of their own stand for. Key: <see cref="Key"/>; answered by the silo that a call comes in at. What is
/// kept is durable before it is answered, and is forgotten a day later.
/// </summary>
[Alias("granary.IIdempotencyGrain")]
public interface IIdempotencyGrain : IGrainWithIntegerKey
{
    const long Key = 0;

    /// <summary>Claims the key for a request, or says what it was claimed for.</summary>
    [Alias("Claim")]
    Task<IdempotencyClaimed> ClaimAsync(IdempotencyClaim claim);

    /// <summary>Keeps the answer to the request that has the key. Best effort: without it a repetition appends again, and the log finds the duplicate.</summary>
    [Alias("Complete")]
    Task CompleteAsync(IdempotencyClaim claim, byte[] answer);
}

/// <param name="RequestHash">Of all that makes one request another.</param>
[GenerateSerializer, Immutable, Alias("granary.IdempotencyClaim")]
public sealed record IdempotencyClaim([property: Id(0)] Guid TopicId, [property: Id(1)] string Key, [property: Id(2)] byte[] RequestHash);

/// <param name="Error">None, or COORDINATOR_NOT_AVAILABLE: nothing is known to be kept, ask again.</param>
/// <param name="IsSameRequest">False: the key was claimed for another request.</param>
/// <param name="ProducerId">The producer whose first batch in each partition this request's is.</param>
/// <param name="Answer">The answer that was given; null: none is known to have been.</param>
[GenerateSerializer, Immutable, Alias("granary.IdempotencyClaimed")]
public sealed record IdempotencyClaimed([property: Id(0)] ErrorCode Error, [property: Id(1)] bool IsSameRequest, [property: Id(2)] long ProducerId, [property: Id(3)] byte[]? Answer);
