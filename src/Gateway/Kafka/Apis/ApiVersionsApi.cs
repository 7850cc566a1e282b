// ApiVersions, key 18, versions 0-4.
// KIP-511 (client names; an unknown version is answered in version 0), KIP-584 (features).
// Other than Kafka:
// - No features are listed: there is nothing yet that is switched on for the cluster as a whole.
using System.Text.RegularExpressions;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed partial class ApiVersionsApi(ApiTable apis)
{
    public const short LowestVersion = 0;
    public const short HighestVersion = 4;

    private const short FirstVersionWithClientName = 3;

    public ValueTask<ApiVersionsResponse> HandleAsync(RequestContext context, ApiVersionsRequest request)
    {
        var response = new ApiVersionsResponse();
        if (context.ApiVersion >= FirstVersionWithClientName && !(Name().IsMatch(request.ClientSoftwareName) && Name().IsMatch(request.ClientSoftwareVersion)))
        {
            response.ErrorCode = (short)ErrorCode.InvalidRequest;
            return ValueTask.FromResult(response);
        }

        foreach (var api in apis.All)
            response.ApiKeys.Add(ToRange(api));
        return ValueTask.FromResult(response);
    }

    /// <summary>
    /// The reply to a version that is not known: a version 0 body, which every client can read, with UNSUPPORTED_VERSION and the range of
    /// this one API. The connection stays open.
    /// </summary>
    public static WireWriter Refuse(Api api, int correlationId)
    {
        var response = new ApiVersionsResponse { ErrorCode = (short)ErrorCode.UnsupportedVersion };
        response.ApiKeys.Add(ToRange(api));
        return ReplyFrame.Write(correlationId, hasFlexibleHeader: false, response, static (body, writer, version) => body.Write(writer, version), version: 0);
    }

    private static ApiVersionsResponse.ApiVersion ToRange(Api api) => new()
    {
        ApiKey = api.Key,
        MinVersion = api.LowestVersion,
        MaxVersion = api.HighestVersion,
    };

    [GeneratedRegex(@"^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
