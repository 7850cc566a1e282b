// InitProducerId, key 22, versions 0-5.
// KIP-98 (idempotent producers), KIP-360 (a producer may name the id and epoch it has, version 3).
// Other than Kafka:
// - Transactions do not work yet: a request with a transactional id is refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED. It is the one
//   code that every client takes as final: the Java client and librdkafka turn it into a fatal error of initTransactions at once,
//   whereas librdkafka repeats the request for UNSUPPORTED_VERSION, INVALID_REQUEST and the like until its timeout hides the reason.
// - An idempotent producer gets a new id each time, with epoch 0; the id and epoch it names are not looked at, as in Kafka.
using Granary.Abstractions.Partitions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class InitProducerIdApi(IGrainFactory grains, CallFailures failures)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 5;

    public async ValueTask<InitProducerIdResponse> HandleAsync(RequestContext context, InitProducerIdRequest request)
    {
        if (request.TransactionalId is not null)
            return Refuse(ErrorCode.TransactionalIdAuthorizationFailed);
        try
        {
            var producerId = await grains.GetGrain<IProducerIdGrain>(IProducerIdGrain.Key).NextAsync();
            return new InitProducerIdResponse { ProducerId = producerId, ProducerEpoch = 0 };
        }
        catch (Exception failure)
        {
            // Clients repeat the request for this code. For COORDINATOR_NOT_AVAILABLE the Java client would look for a coordinator
            // first, by a transactional id that it does not have.
            return Refuse(failures.ToErrorCode("Asking for a producer id", failure, ErrorCode.CoordinatorLoadInProgress));
        }
    }

    private static InitProducerIdResponse Refuse(ErrorCode error) =>
        new() { ErrorCode = (short)error, ProducerId = -1, ProducerEpoch = -1 };
}
