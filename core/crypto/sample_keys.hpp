// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// Keys for tests, made with the `openssl` command for this purpose and used nowhere else.
namespace keyturn::crypto::sample_keys {

/// Public key on P-384.
inline constexpr std::string_view kP384 = R"pem(-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAExRLtkH43nq/ebNjEZA1BTvdGhlJC9Rvu
gnwfx/HorXWBELaTFLXP4lXiie4kz50ATLv7i/6qSYA2M/s0C+wn0Bn4KBQPDNKV
VWn40rHVLQpxYpSm1ues4jofQ1tphSUc
-----END PUBLIC KEY-----
)pem";

/// Public key on secp256k1, which has the size of P-256.
inline constexpr std::string_view kSecp256k1 = R"pem(-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEW0JudiCKMmX3qTD3qZaUZV8sB473VBT8
RQvOX0sn9XmcrZghiYKPUzep/P/G6tsziqDDW3xdd5vSBNzOeu/P2w==
-----END PUBLIC KEY-----
)pem";

/// P-256 with its parameters spelt out instead of named.
inline constexpr std::string_view kExplicitP256 = R"pem(-----BEGIN PRIVATE KEY-----
MIIBeQIBADCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAAB
AAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA
///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMV
AMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg
9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8A
AAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBBG0wawIBAQQgEYpjPdiQJNHU
xko8EW9CN3F9n1XygCRQUGm+gOGmGpGhRANCAASEhehLJxKXfxL5/CrMU0BOF6oB
7kPKtPPp9hAZwtiKfci4kfFpv97XJjIRZawIbv3TwV0ReRRHjIUYPWuE5LP6
-----END PRIVATE KEY-----
)pem";

/// P-256 pair under a passphrase.
inline constexpr std::string_view kEncryptedP256 = R"pem(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjOxNYdaKcnggICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEMMPKyc5u0MLG1ubymNrG9oEgZA0
X1DSAJctKxXShyQsRKXTYAy0osjtiZbYodRNIYk5QSlpgkbA/TlCyCQU6S4v/EIe
Xc/8DBl60qopPftMLo+oTbYTAklP2ptfDCe1g1zmktzzMBr0PGYhDiAlhfE9cnfQ
83H1krh5Urg0UAF0twrDSzr9oNZ4de50BCWdSye1oPyvnXLq3Eio7YdLYv7AhgQ=
-----END ENCRYPTED PRIVATE KEY-----
)pem";

/// Public key of 1024 bits.
inline constexpr std::string_view kRsa1024 = R"pem(-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC2K2sIzE9MybVyUYac5qKXS0SR
gUt9AnzKWl4lEdItej3zEjkW8ILumuJiRvk72bgAXF884F8NAMTnIawc9jU/nVKC
8+lzEWdEbRC0xHkOHFsUNwYS3diZVyfEBzJpNaHh6CNXn6PjAtUYQJm447AGRzFw
fm2wC3izEzafLR4jWQIDAQAB
-----END PUBLIC KEY-----
)pem";

/// Pair of 2048 bits (PKCS #1 form).
inline constexpr std::string_view kRsa2048Pair = R"pem(-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAu7IcI33/2+cY2+qPl2lFO7+NvbumRdmnqJLNEdGvVGlfzJNk
4iaaMSxzTtcj7Xfh17uiKdca+C+LS4yn9CWm60oQ54ienjt2+0ID8qAISKgW2x2h
JxHHReHH/Zc8fR80YfL+hvjfU0kjVdF/Wtzse1LRIq4gKjQozu58KnHXtEq1Umr0
oCcqsD0CP9oshe928IFnzXsREWj1MBTc2wCmPwPk3BLda9PzN4FVLlfag2SIe9S5
8cWr8RE2Rr/3UG2yKAchHsM/VFkH4FONB1TZ9g15WE1qPI1DqJr3CAhrDtqjBR57
e0U5DsOr7Y/DYT/WNNEdQO2cRqFIjiGpcCBTMQIDAQABAoIBAAQAPvNOu0Z/vZrq
fBcZKl2krqvNtTSl+BnyzyZDFv6wpFcjCTJ86iqELQ0QLvbf6FOF72X+7Nc/hDOf
EvF0YAOB96xH0EHFOLsQZC8m1CZgVuRi1E2V5m6J6o5wS9zK7n3sBRrxcSlAVN1+
cr2IGg5i7IxVs9/SbtBCaykodhWkvKKu+lsaQXDPHai17eNpu1/Uz1HbwqPDwJOB
H0gVlt7GT9Rjz+0LWJ5enX626XzluYf2N3bxvL7YjPtGZ4Pj5Z32Fpco1t+BrkbQ
1Cz6ojYeygQ6iaCRzhoC+5GnEgLylEjZN/D4VgeR7SGn4dzxj7O2NjvppfeMYPWt
gC0NmnUCgYEA9cKS4nyQxcKL2nD+XAbCJM9911SbU0OuS9a0Sv2JxnIMastR1z+y
Rx4STIYhIyhIzGdUTGN2HCABipsI3ZDUybEEuavLoJOt6yXjYFQpG3qVYFgou/VK
isIqJBB6zdOU5wHD1srECkCDLe4YwCDyFSt6+/F5OsP8aLcPgHpsgIcCgYEAw4Qv
1x4pQtUI2K0Iaunl5HE+XB+d3QsLx1rmA88C4qp7fTw/9Vb2TcccmKGKynLkUJHk
Cae+2e0LTeD4YD7hYc1fwql/OBG/IE1inZ3y5tekyRmyW/rEKCqYHcy9Iy8R1Qo5
smYN6zQlm/G3+KeUL9pBzKBKEn5dritID++yFIcCgYA5fn+mhMXJvi3BuNWI6fvZ
aMFj8uMzo43PKDedo5rr1hqZkV9gIAKxKJPXWzm9Y9tEFpheFpa3FbXGm2aDjzJ4
zPTyCwLkWihB7uc2zfmf+BmiJH3DGyuJMstxDHnuVSVstbj/MwiR7W3C/QTFTe/U
jAuFjYRy/w654Lm7sOhZWQKBgFKYdzVjcn7fTHtsrc+svAfDp1p3qNMGpZU0W1Nk
ko17A+wmFcbpU+gLo5L/O4jG/Jjk6PcDPGcH8uyVi5ftOH1+q2OrAymGpb1Zs71u
Sn0mwGCMUIL27wMg6147bfN9IQVk6nbpEhw4zWKRvOx4ruuAQqfVVzV02NKJSkoh
MpPlAoGBANBEpjGoaTpg2yRxxJ6bcBzlSW/+rxuNygA8WV1O4kZmdAR/CbF0jyZF
UW26M4WjtemQlAYMVekYX7DjAcf1Kyxm8c3SLIQVEVXZubtMPssxcoE4gIIfXpmv
uWVIFW7d9ERUcgXyo5mt7eyFiCqbgET/nUOZ65flAofqMpQep2Xv
-----END RSA PRIVATE KEY-----
)pem";

/// Public key that is bound to RSASSA-PSS.
inline constexpr std::string_view kRsaPss = R"pem(-----BEGIN PUBLIC KEY-----
MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBALYa3VlNRfZKgvtCD9bjfgNX
gk/PdSEp8n1ukxYCF63v+9ZMRSTfepGnTQWkypImBwPnUIT9AgEa4AD1i8ISk/Ts
ObXtb262lRFRMPQwPmfwe/InFY7FhoA/omnk4Q7Df8BgsGV9hNCjcGUlt7J3ShSM
B8C5qaFcPUXlzvbPQeMXrCnHJvRTW/S8hHj3f0oxI78/twu9fJLil6YcgC8T1ABe
cqkbdJOXW9kQusY9R2GAm/ibAHs0U+FEAmlB1qKiXHc3NI0sNaH8KnrzW7tZhMMX
954UD4FEae+wu/SB3jETRIQ1h6VWoQYypLgmVT8cE3sTr+09y3aX6COXC/UZvwkC
AwEAAQ==
-----END PUBLIC KEY-----
)pem";

/// Pair for Ed25519.
inline constexpr std::string_view kEd25519Pair = R"pem(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIGuVAekm4YkwYxR0Zwp0YShmYCUCega3v/XjsxO4Hst8
-----END PRIVATE KEY-----
)pem";

}  // namespace keyturn::crypto::sample_keys
